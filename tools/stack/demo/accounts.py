"""The demo's accounts: one of each kind for the person, and the demo's own, with which it shows the main job."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from tools.stack import commands
from tools.stack.api import AdminApi, Api, ApiError, ClientApi
from tools.stack.product import Product

STAFF, SHOPPER = "owner@example.com", "shopper@example.com"
VIEWER = "viewer@example.com"  # whoever looks at a read-only demo
ROBOT = "demo@example.com"  # at both services
VIEWER_SECRET = "viewer_password"  # noqa: S105
ROBOT_SECRET = "robot_password"  # noqa: S105 - its name among the demo's secrets
REMINDER = f"  Sign in as {STAFF} or {SHOPPER}; passwords were shown when they were made (--fresh: begin anew)"


@dataclass(frozen=True)
class Account:
    """Who may sign in where; the password is kept nowhere else."""

    service: str
    email: str
    password: str


def create(product: Product, robot_password: str) -> list[Account]:
    """Create them and return the person's. Those that are there already stay as they are and are not returned."""
    people = [Account("Admin", STAFF, secrets.token_urlsafe(12)), Account("Client", SHOPPER, secrets.token_urlsafe(12))]
    robots = [Account("Admin", ROBOT, robot_password), Account("Client", ROBOT, robot_password)]
    commands.run_all([(_command(account), f"{account.password}\n") for account in (*people, *robots)], product.env)
    return [account for account in people if _can_sign_in(account, product)]


def add_viewer(product: Product, password: str) -> None:
    """Create the account that may look at the console; one that is there already stays as it is."""
    command = ["staff", "add", VIEWER, "--role", "viewer", "--password-stdin"]
    commands.Command(command, product.env, typed=f"{password}\n").finish()


def describe(created: Sequence[Account]) -> list[str]:
    """Return the lines that tell the person how to sign in, this once."""
    lines = [f"      {account.service:<7} {account.email:<20} {account.password}" for account in created]
    return ["    sign in with these; the passwords are shown this once and kept nowhere:", *lines]


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
