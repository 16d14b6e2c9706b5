"""The whole product over the production servers, once for all security tests, with an account of every kind."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from tests.flow.running import PASSWORD, NewServers, Running, running
from tools.stack import commands
from tools.stack.api import AdminApi

ROLES = ("viewer", "editor", "owner")


@dataclass(frozen=True)
class System:
    """The running product; ``staff`` are signed in, by role; ``secrets`` must not appear in logs."""

    running: Running
    staff: dict[str, AdminApi]
    tokens: dict[str, str]
    secrets: dict[str, str]

    @property
    def admin_url(self) -> str:
        return self.running.product.addresses.admin_url

    @property
    def client_url(self) -> str:
        return self.running.product.addresses.client_url


@pytest.fixture(scope="session")
def system(new_servers: NewServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(new_servers(), tmp_path_factory.mktemp("security")) as started, ExitStack() as stack:
        adding = [["staff", "add", f"{role}@example.com", "--role", role, "--password-stdin"] for role in ROLES]
        commands.run_all([(arguments, f"{PASSWORD}\n") for arguments in adding], started.product.env)
        staff = {role: stack.enter_context(closing(AdminApi(started.product.addresses.admin_url))) for role in ROLES}
        tokens = {role: staff[role].sign_in(f"{role}@example.com", PASSWORD) for role in ROLES}
        tokens["shopper"] = started.client.sign_in("shopper@example.com", PASSWORD)
        yield System(started, staff, tokens, {})
