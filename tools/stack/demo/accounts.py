"""The accounts of the demo: one per service for the user, and one per service for the demo itself."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from tools.stack import commands
from tools.stack.api import AdminApi, Api, ApiError, ClientApi
from tools.stack.product import Product

STAFF, SHOPPER = "owner@example.com", "shopper@example.com"
VIEWER = "viewer@example.com"  # for visitors of a read-only demo
ROBOT = "demo@example.com"  # at both services
VIEWER_SECRET = "viewer_password"  # noqa: S105
ROBOT_SECRET = "robot_password"  # noqa: S105 - its name among the demo's secrets
REMINDER = (
    f"  Sign in as {STAFF} or {SHOPPER}; the passwords were shown at the first start (--fresh creates new accounts)"
)


@dataclass(frozen=True)
class Account:
    """An account of one service. The password is stored nowhere else."""

    service: str
    email: str
    password: str


def create(product: Product, robot_password: str) -> list[Account]:
    """Create the missing accounts, and return those of the user that are new."""
    users = [Account("Admin", STAFF, secrets.token_urlsafe(12)), Account("Client", SHOPPER, secrets.token_urlsafe(12))]
    own = [Account("Admin", ROBOT, robot_password), Account("Client", ROBOT, robot_password)]
    commands.run_all([(_command(account), f"{account.password}\n") for account in (*users, *own)], product.env)
    return [account for account in users if _can_sign_in(account, product)]


def add_viewer(product: Product, password: str) -> None:
    """Create the account with read access to the console, unless it exists."""
    command = ["staff", "add", VIEWER, "--role", "viewer", "--password-stdin"]
    commands.Command(command, product.env, typed=f"{password}\n").finish()


def describe(created: Sequence[Account]) -> list[str]:
    """Return the lines with the new accounts and their passwords."""
    lines = [f"      {account.service:<7} {account.email:<20} {account.password}" for account in created]
    return ["    Sign in with these accounts. The passwords are shown only now:", *lines]


def _command(account: Account) -> list[str]:
    if account.service == "Admin":
        return [
            "staff",
            "add",
            account.email,
            "--role",
            "owner" if account.email == STAFF else "editor",
            "--password-stdin",
        ]
    return ["shopper", "add", account.email, "--password-stdin"]


def _can_sign_in(account: Account, product: Product) -> bool:
    addresses = product.addresses
    api: Api = AdminApi(addresses.admin_url) if account.service == "Admin" else ClientApi(addresses.client_url)
    try:
        api.sign_in(account.email, account.password)
    except ApiError:
        return False
    finally:
        api.close()
    return True
