"""The console's page of one product: the outcomes of its versions match the copy that it shows."""

import re
from collections.abc import Iterator

import pytest

from admin.accounts.models import EDITOR
from admin.accounts.service import add_staff
from admin.catalogue import service
from admin.catalogue.messages import current_messages
from admin.catalogue.service import ANY_VERSION
from client.replica import apply
from tests.browsing import Browser
from tests.flow.stores import unique_name
from tests.flow.two_stores import TwoStores, create, deliver, two_stores
from tools.stack.servers.mariadb import MariaDB
from tools.stack.servers.secantus import Secantus

EMAIL, PASSWORD = "editor@example.com", "a password of some length"


@pytest.fixture
def both(mariadb: MariaDB, secantus: Secantus) -> Iterator[TwoStores]:
    with two_stores(mariadb.create_database(unique_name()), secantus.url(unique_name())) as both:
        add_staff(EMAIL, PASSWORD, EDITOR)
        yield both


def rename(product: int, title: str) -> None:
    service.update_product(product, {"title": title}, ANY_VERSION, "tester")


def test_version_that_is_at_the_client_is_not_shown_as_on_its_way(both: TwoStores) -> None:
    staff = Browser(both.app.test_client(), "/console/sign-in")
    staff.sign_in(EMAIL, PASSWORD)
    product = create()
    deliver()
    rename(product, "Second")
    apply.apply(current_messages([product]))  # as the eager publisher and the worker do; nothing is verified
    rename(product, "Third")
    on_its_way = outcomes(staff, product)
    apply.apply(current_messages([product]))
    shown = outcomes(staff, product)
    assert on_its_way[3] == "on its way"
    assert shown == {3: "applied, not verified yet", 2: "replaced by a newer one", 1: "replaced by a newer one"}
    page = staff.get(f"/console/products/{product}").text
    assert "version 3 is at the Client" in page
    assert not re.search("waits to be sent|overtaken|on its way", page)


def outcomes(staff: Browser, product: int) -> dict[int, str]:
    """Return the outcome that the page shows for each version."""
    page = staff.get(f"/console/products/{product}").text
    entries = re.findall(r"<strong>Version (\d+)</strong>(.*?)</div>", page, re.DOTALL)
    return {int(version): re.sub(r"<[^>]+>", "", rest).strip().splitlines()[-1].strip() for version, rest in entries}
