"""Every route of both services, called by every kind of caller (the table is in routes.py)."""

import re

import pytest
import requests

from admin import create_app as create_admin
from admin.config import AdminSettings
from client import create_app as create_client
from client.config import ClientSettings
from tests.contract.compose_check import ADMIN, CLIENT
from tests.flow.running import PASSWORD
from tests.security import routes, wire
from tests.security.callers import BROWSER, TIMEOUT, Caller
from tests.security.conftest import ROLES, System
from tools.stack import commands

Row = tuple[str, str]
SAMPLES = {"int": "999999", "string(length=32)": "a" * 32, "path": "no.css", "": "0" * 64}
SAME = ("Content-Type", "Location", "Cache-Control")
FORM = f"email=viewer%40example.com&password={PASSWORD.replace(' ', '+')}".encode()
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
    """Return a path of the route with ids that do not exist."""
    return re.sub(r"<(?:([^<>:]+):)?[a-z_]+>", lambda found: SAMPLES[found[1] or ""], route)


def paths_of(service: str, *methods: str) -> list[str]:
    """Return a path of each route that accepts one of ``methods``."""
    return sorted({path_of(route) for method, route in TABLES[service] if method in methods})


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
def test_every_route_lists_its_methods_and_refuses_others(system: System, service: str) -> None:
    base = system.admin_url if service == "admin" else system.client_url
    methods: dict[str, set[str]] = {}
    for method, route in TABLES[service]:
        methods.setdefault(route, {"OPTIONS"}).update({method, "HEAD"} if method == "GET" else {method})
    for route, expected in methods.items():
        for asked, status in (("OPTIONS", 200), ("TRACE", 405)):
            answer = requests.request(asked, f"{base}{path_of(route)}", timeout=TIMEOUT)
            assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (status, expected), route


@pytest.mark.parametrize("name", routes.CALLERS)
@pytest.mark.parametrize("service", ["admin", "client"])
def test_head_answers_each_caller_as_get_does(callers: dict[str, Caller], service: str, name: str) -> None:
    for path in paths_of(service, "GET"):
        read, looked = (callers[name].ask(service, method, path) for method in ("GET", "HEAD"))
        assert looked.status_code == read.status_code, path
        assert [looked.headers.get(one) for one in SAME] == [read.headers.get(one) for one in SAME], path


@pytest.mark.parametrize("service", ["admin", "client"])
def test_head_with_a_form_is_answered_without_a_body_and_a_cookie(system: System, service: str) -> None:
    caller = Caller(system, "nobody")
    for path in paths_of(service, "GET", "POST", "PUT", "PATCH", "DELETE"):
        head = (
            f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: {BROWSER['Accept']}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(FORM)}\r\n\r\n"
        )
        received = wire.exchange(caller.url(service), head.encode() + FORM)
        read = requests.get(
            f"{caller.url(service)}{path}", headers=BROWSER, allow_redirects=False, timeout=TIMEOUT
        ).status_code
        assert wire.statuses(received) == [read], (path, received)
        assert received.endswith(b"\r\n\r\n"), (path, received)
        assert b"set-cookie" not in received.lower(), (path, received)


@pytest.mark.parametrize(
    ("service", "door", "email"),
    [("admin", "/console/sign-in", "viewer@example.com"), ("client", "/sign-in", "shopper@example.com")],
)
def test_head_does_not_sign_in(system: System, service: str, door: str, email: str) -> None:
    with requests.Session() as visitor:
        base = system.admin_url if service == "admin" else system.client_url
        form = {"email": email, "password": PASSWORD}
        assert visitor.head(f"{base}{door}", data=form, headers=BROWSER, timeout=TIMEOUT).status_code == 200
        assert not visitor.cookies
