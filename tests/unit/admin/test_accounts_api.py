"""Tokens, API keys, staff and the audit trail, by REST and by commands."""

from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from admin.accounts import audit, service, sign_ins
from admin.accounts.models import EDITOR, OWNER, VIEWER, ApiKey, AuditEvent, SignIn
from admin.db.extensions import db
from lockstep.main import cli as lockstep_cli
from tests.browsing import Browser
from tests.unit.admin.catalogue import CONTENT, PASSWORD, PRODUCTS, Api, change, set_environment

AUTH, STAFF, API_KEYS, AUDIT = "/api/v1/auth", "/api/v1/staff", "/api/v1/api-keys", "/api/v1/audit"


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD) -> dict[str, Any]:
    answer = client.post(f"{AUTH}/token", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.fixture
def owner(app: Flask, client: FlaskClient) -> Api:
    with app.app_context():
        service.add_staff("owner@example.com", PASSWORD, OWNER)
    return Api(client, sign_in(client, "owner@example.com")["access_token"])


def staff_ids(owner: Api) -> dict[str, int]:
    return {one["email"]: one["id"] for one in owner.call("GET", STAFF).get_json()["items"]}


def kinds(owner: Api) -> list[str]:
    return [event["kind"] for event in owner.call("GET", AUDIT).get_json()["items"]]


# --- tokens -----------------------------------------------------------------------------------------------


def test_refresh_token_gets_new_ones_once(client: FlaskClient) -> None:
    first = sign_in(client, "editor@example.com")
    second = Api(client, first["refresh_token"]).call("POST", f"{AUTH}/refresh").get_json()
    assert Api(client, second["access_token"]).listed().status_code == 200
    third = Api(client, second["refresh_token"]).call("POST", f"{AUTH}/refresh").get_json()
    assert Api(client, third["access_token"]).listed().status_code == 200


def test_reused_refresh_token_ends_its_sign_in_and_no_other(client: FlaskClient, owner: Api) -> None:
    other = sign_in(client, "editor@example.com")
    first = sign_in(client, "editor@example.com")
    second = Api(client, first["refresh_token"]).call("POST", f"{AUTH}/refresh").get_json()
    reused = Api(client, first["refresh_token"]).call("POST", f"{AUTH}/refresh")
    assert reused.status_code == 401
    assert Api(client, second["access_token"]).listed().status_code == 401
    assert Api(client, second["refresh_token"]).call("POST", f"{AUTH}/refresh").status_code == 401
    assert Api(client, other["access_token"]).listed().status_code == 200
    assert "refresh_token_reused" in kinds(owner)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoked_sign_in_ends_both_tokens(client: FlaskClient, which: str) -> None:
    pair = sign_in(client, "editor@example.com")
    assert Api(client, pair[which]).call("POST", f"{AUTH}/revoke").status_code == 204
    assert Api(client, pair["access_token"]).listed().status_code == 401
    assert Api(client, pair["refresh_token"]).call("POST", f"{AUTH}/refresh").status_code == 401


# --- keys -------------------------------------------------------------------------------------------------


def make_key(owner: Api, **wanted: Any) -> dict[str, Any]:
    answer = owner.call("POST", API_KEYS, json={"name": "importer", "role": EDITOR, **wanted})
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_key_works_as_bearer_token_and_is_the_author_of_changes(app: Flask, client: FlaskClient, owner: Api) -> None:
    made = make_key(owner)
    assert made["key"].startswith(made["prefix"])
    machine = Api(client, made["key"])
    product = machine.create()
    history = owner.call("GET", f"{PRODUCTS}/{product['id']}/replication").get_json()
    assert [version["author"] for version in history["versions"]] == ["key:importer"]
    with app.app_context():
        kept = db.session.execute(db.select(ApiKey)).scalar_one()
        assert kept.last_used_at is not None
        assert made["key"] not in {kept.digest, kept.prefix, kept.name}


def test_key_is_shown_once(owner: Api) -> None:
    made = make_key(owner)
    assert made["key"] not in owner.call("GET", API_KEYS).text


def test_key_has_the_rights_of_its_role_only(client: FlaskClient, owner: Api) -> None:
    looker = Api(client, make_key(owner, name="looker", role=VIEWER)["key"])
    assert looker.listed().status_code == 200
    assert looker.call("POST", PRODUCTS, json=CONTENT).status_code == 403
    assert Api(client, make_key(owner)["key"]).call("GET", API_KEYS).status_code == 403


def test_revoked_expired_and_altered_keys_are_refused(app: Flask, client: FlaskClient, owner: Api) -> None:
    revoked, expired = make_key(owner), make_key(owner, name="old", days=1)
    assert Api(client, expired["key"]).listed().status_code == 200
    assert owner.call("DELETE", f"{API_KEYS}/{revoked['id']}").status_code == 204
    assert owner.call("DELETE", f"{API_KEYS}/{revoked['id']}").status_code == 404
    change(app, db.update(ApiKey).where(ApiKey.id == expired["id"]).values(expires_at=ApiKey.created_at))
    altered = make_key(owner, name="good")["key"][:-1] + "!"
    for secret in (revoked["key"], expired["key"], altered, "lsk_", "lsk_\udcff"):
        answer = client.get(PRODUCTS, headers={"Authorization": f"Bearer {secret}".encode("utf-8", "replace")})
        assert answer.status_code == 401


def test_name_of_a_key_is_unique(owner: Api) -> None:
    make_key(owner)
    assert owner.call("POST", API_KEYS, json={"name": "importer", "role": EDITOR}).status_code == 409


# --- staff ------------------------------------------------------------------------------------------------


def test_owner_creates_changes_and_removes_accounts(client: FlaskClient, owner: Api) -> None:
    new = {"email": "New@example.com", "password": PASSWORD, "role": VIEWER}
    made = owner.call("POST", STAFF, json=new)
    assert made.status_code == 201
    where = made.headers["Location"]
    assert owner.call("POST", STAFF, json=new).status_code == 409
    assert "password" not in made.text
    assert owner.call("PATCH", where, json={"role": EDITOR}).get_json()["role"] == EDITOR
    pair = sign_in(client, "new@example.com")
    changed = owner.call("PATCH", where, json={"password": "quite another password", "disabled": True})
    assert changed.get_json()["disabled"] is True
    assert Api(client, pair["access_token"]).listed().status_code == 401
    owner.call("PATCH", where, json={"disabled": False})
    pair = sign_in(client, "new@example.com", "quite another password")
    assert owner.call("DELETE", where).status_code == 204
    assert Api(client, pair["access_token"]).listed().status_code == 401
    assert owner.call("GET", where).status_code == 404
    assert {"staff_added", "role_changed", "password_reset", "staff_disabled", "staff_removed"} <= set(kinds(owner))


@pytest.mark.parametrize("body", [{"role": VIEWER}, {"disabled": True}, None])
def test_last_owner_cannot_be_removed(owner: Api, body: dict[str, Any] | None) -> None:
    path = f"{STAFF}/{staff_ids(owner)['owner@example.com']}"
    answer = owner.call("PATCH", path, json=body) if body else owner.call("DELETE", path)
    assert answer.status_code == 409
    assert "last owner" in answer.get_json()["detail"]
    assert owner.call("GET", path).get_json()["role"] == OWNER


def test_demoted_account_is_signed_out_at_once(client: FlaskClient, owner: Api) -> None:
    pair = sign_in(client, "editor@example.com")
    owner.call("PATCH", f"{STAFF}/{staff_ids(owner)['editor@example.com']}", json={"role": VIEWER})
    assert Api(client, pair["access_token"]).listed().status_code == 401
    assert Api(client, pair["refresh_token"]).call("POST", f"{AUTH}/refresh").status_code == 401


def test_weak_password_changes_nothing(client: FlaskClient, owner: Api) -> None:
    path = f"{STAFF}/{staff_ids(owner)['editor@example.com']}"
    assert owner.call("PATCH", path, json={"password": "password123", "role": VIEWER}).status_code == 422
    assert owner.call("GET", path).get_json()["role"] == EDITOR
    sign_in(client, "editor@example.com")


# --- audit trail ------------------------------------------------------------------------------------------


def test_audit_trail_has_failed_sign_ins_with_their_address(client: FlaskClient, owner: Api) -> None:
    client.post(f"{AUTH}/token", json={"email": "Nobody@example.com", "password": PASSWORD})
    event = owner.call("GET", AUDIT, query_string={"limit": 1}).get_json()["items"][0]
    assert (event["kind"], event["actor"], event["address"]) == ("sign_in_failed", "nobody@example.com", "127.0.0.1")
    assert PASSWORD not in str(event)


def test_audit_trail_has_pages(owner: Api) -> None:
    for number in range(3):
        make_key(owner, name=f"key {number}")
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = owner.call("GET", AUDIT, query_string=query).get_json()
        seen += [event["id"] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 5


def test_old_events_and_expired_sign_ins_are_purged(app: Flask, owner: Api) -> None:
    assert owner
    with app.app_context():
        events = db.session.execute(db.select(AuditEvent)).scalars().all()
        events[0].at = events[0].at - 2 * audit.RETENTION
        over = db.session.execute(db.select(SignIn)).scalars().first()
        assert over is not None
        over.expires_at = over.began_at
        db.session.commit()
        assert audit.purge() == 1
        assert db.session.scalar(db.select(db.func.count()).select_from(AuditEvent)) == len(events) - 1
        assert sign_ins.purge() == 1


# --- console pages ----------------------------------------------------------------------------------------


@pytest.fixture
def console(client: FlaskClient, owner: Api) -> Browser:
    assert owner
    visitor = Browser(client, "/console/sign-in")
    visitor.sign_in("owner@example.com", PASSWORD)
    return visitor


def test_owner_manages_the_staff_on_a_page(console: Browser, owner: Api) -> None:
    page = "/console/staff"
    new = {"email": "new@example.com", "role": VIEWER}
    assert "is easy to guess" in console.post(page, form_on=page, password="password123", **new).text
    assert console.post(page, form_on=page, password=PASSWORD, **new).status_code == 303
    path = f"{page}/{staff_ids(owner)['new@example.com']}"
    console.post(path, form_on=page, action="role", role=EDITOR)
    console.post(path, form_on=page, action="disable")
    shown = console.get(page).text
    assert "new@example.com" in shown
    assert "disabled" in shown
    console.post(path, form_on=page, action="remove")
    assert "new@example.com" not in staff_ids(owner)


def test_owner_creates_and_revokes_a_key_on_a_page(client: FlaskClient, console: Browser, owner: Api) -> None:
    page = "/console/api-keys"
    assert "letters" in console.post(page, form_on=page, name="<b>", role=EDITOR, days="").text
    shown = console.post(page, form_on=page, name="importer", role=EDITOR, days="30").text
    secret = shown.split('class="secret">')[1].split("<")[0]
    assert Api(client, secret).listed().status_code == 200
    assert secret not in console.get(page).text
    key_id = owner.call("GET", API_KEYS).get_json()["items"][0]["id"]
    console.post(f"{page}/{key_id}/revoke", form_on=page)
    assert Api(client, secret).listed().status_code == 401
    assert "api key revoked" in console.get("/console/audit").text


# --- command line -----------------------------------------------------------------------------------------


def test_staff_and_keys_by_command(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = migrated_app.test_client()
    set_environment(monkeypatch, migrated_app.config["SQLALCHEMY_DATABASE_URI"])

    def run(*words: str, code: int = 0, password: str = "") -> str:
        result = CliRunner().invoke(lockstep_cli, ["staff", *words], input=password)
        assert result.exit_code == code, result.output
        return result.output

    run("add", "cli@example.com", "--role", "owner", "--password-stdin", password=f"{PASSWORD}\n")
    run("add", "cli2@example.com", "--password-stdin", code=2, password="password123\n")
    assert "owner  cli@example.com" in run("list")
    assert "last owner" in run("role", "cli@example.com", "viewer", code=1)
    assert "no account" in run("disable", "nobody@example.com", code=1)
    run("passwd", "editor@example.com", "--password-stdin", password="quite another password\n")
    sign_in(client, "editor@example.com", "quite another password")
    run("disable", "editor@example.com")
    assert "(disabled)" in run("list")
    run("enable", "editor@example.com")
    run("remove", "editor@example.com")
    secret = run("keys", "add", "nightly", "--role", "viewer").strip()
    assert Api(client, secret).listed().status_code == 200
    assert "nightly" in run("keys", "list")
    assert secret not in run("keys", "list")
    run("keys", "revoke", "nightly")
    assert Api(client, secret).listed().status_code == 401
