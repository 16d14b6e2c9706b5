"""Every route of both services, asked by every kind of caller (the table is in routes.py)."""

import re

import pytest
import requests

from admin import create_app as create_admin
from admin.config import AdminSettings
from client import create_app as create_client
from client.config import ClientSettings
from stack import commands
from tests.contract.compose_check import ADMIN, CLIENT
from tests.flow.running import PASSWORD
from tests.security import routes
from tests.security.callers import TIMEOUT, Caller
from tests.security.conftest import ROLES, System

Row = tuple[str, str]
SAMPLES = {"int": "999999", "string(length=32)": "a" * 32, "path": "no.css", "": "0" * 64}
ENDING = ("/revoke", "/sign-out", "/sign-out-everywhere")  # after these the caller signs in again


def rows(table: str) -> dict[Row, tuple[int, ...]]:
    """Return the expected statuses by method and route."""
    lines = [line.split() for line in table.strip().splitlines()]
    found = {(method, route): tuple(map(int, statuses)) for method, route, *statuses in lines}
    assert len(found) == len(lines), "a route is there twice"
    return found


def served(service: str) -> set[Row]:
    """Return every method and route that the service has."""
    admin = service == "admin"
    app = create_admin(AdminSettings(**ADMIN)) if admin else create_client(ClientSettings(**CLIENT))
    rules = app.url_map.iter_rules()
    return {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def path_of(route: str) -> str:
    """Return a path of the route, of what is not there."""
    return re.sub(r"<(?:([^<>:]+):)?[a-z_]+>", lambda found: SAMPLES[found[1] or ""], route)


TABLES = {"admin": rows(routes.ADMIN), "client": rows(routes.CLIENT)}
ROWS = [(service, *row) for service, table in TABLES.items() for row in table]


@pytest.fixture(scope="module")
def callers(system: System) -> dict[str, Caller]:
    """One of each kind, with accounts that no other test uses."""
    env = system.running.product.env
    emails = {role: f"{role}-of-routes@example.com" for role in ROLES}
    adding = [["staff", "add", email, "--role", role, "--password-stdin"] for role, email in emails.items()]
    adding.append(["shopper", "add", "shopper-of-routes@example.com", "--password-stdin"])
    commands.run_all([(arguments, f"{PASSWORD}\n") for arguments in adding], env)
    staff = [Caller(system, role, "admin", email) for role, email in emails.items()]
    shopper = Caller(system, "shopper", "client", "shopper-of-routes@example.com")
    found = {one.name: one for one in [Caller(system, "nobody"), shopper, *staff, Caller(system, "service")]}
    for one in found.values():
        one.sign_in()
    return found


@pytest.mark.parametrize("service", ["admin", "client"])
def test_every_route_has_a_row_and_every_row_a_route(service: str) -> None:
    assert served(service) ^ TABLES[service].keys() == set()


@pytest.mark.parametrize(("service", "method", "route"), ROWS)
def test_each_caller_gets_the_intended_status(
    callers: dict[str, Caller], service: str, method: str, route: str
) -> None:
    found = {name: callers[name].ask(service, method, path_of(route)).status_code for name in routes.CALLERS}
    if route.endswith(ENDING):
        for caller in callers.values():
            caller.sign_in()
    assert found == dict(zip(routes.CALLERS, TABLES[service][method, route], strict=True))


@pytest.mark.parametrize("service", ["admin", "client"])
def test_every_route_tells_its_methods_and_refuses_others(system: System, service: str) -> None:
    base = system.admin_url if service == "admin" else system.client_url
    methods: dict[str, set[str]] = {}
    for method, route in TABLES[service]:
        methods.setdefault(route, {"OPTIONS"}).update({method, "HEAD"} if method == "GET" else {method})
    for route, expected in methods.items():
        for asked, status in (("OPTIONS", 200), ("TRACE", 405)):
            answer = requests.request(asked, f"{base}{path_of(route)}", timeout=TIMEOUT)
            assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (status, expected), route
