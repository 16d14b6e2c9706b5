"""The shop as its visitors use it, beside the APIs with which others change it meanwhile."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.browser.sign_ins import sign_in_by_form, use
from tests.flow.running import PASSWORD, Running, eventually
from tests.flow.stores import unique_name
from tools.stack.api import ClientApi


@dataclass(frozen=True)
class Shop:
    running: Running

    @property
    def url(self) -> str:
        return self.running.product.addresses.client_url

    def create(self, **fields: str) -> int:
        """Create a product on Admin, wait until it is in the shop, and return its id."""
        product_id = self.running.create(**fields)
        eventually(lambda: self.running.arrived(product_id))
        return product_id

    def delete(self, product_id: int) -> None:
        """Delete a product on Admin and wait until it is gone from the shop."""
        self.running.admin.delete(product_id)
        eventually(lambda: self.running.client.status(product_id) == 410)

    def matching(self, **query: str) -> int:
        """Return how many products a search finds; one page of the list holds all of them, but not all products."""
        count = len(self.running.client.list(limit=100, **query))
        assert 0 < count < 24
        return count

    def sign_up_by_api(self) -> tuple[str, ClientApi]:
        """Create an account; return its e-mail, and an API that is signed in with it."""
        email = f"{unique_name()}@example.com"
        api = ClientApi(self.url)
        api.ask("POST", "/api/v1/shoppers", json={"email": email, "password": PASSWORD})
        api.sign_in(email, PASSWORD)
        return email, api

    def sign_in(self, page: Page) -> str:
        """Have a new shopper signed in, and return the e-mail."""
        email = f"{unique_name()}@example.com"
        use(page, self.url, sign_in_by_form(f"{self.url}/sign-up", email))
        return email


def fill(form: Locator, email: str, password: str = PASSWORD) -> None:
    """Fill in who signs in or up."""
    form.get_by_label("E-mail").fill(email)
    form.get_by_label("Password").fill(password)


def tile(page: Page, product_id: int) -> Locator:
    return page.locator(f"#p{product_id}")
