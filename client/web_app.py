"""The Client's web application: shop, REST API and calls from Admin. ``gunicorn client:create_app()`` runs it."""

import structlog
from flask import Flask, Response
from pymongo.errors import PyMongoError

from client import store, storefront
from client.accounts import oidc
from client.accounts.sessions import init_shop_sessions
from client.accounts.tokens import load_shopper
from client.config import ClientSettings
from client.likes.announcer import init_likes_announcer
from client.metrics import ClientState, PoolListener
from client.rest import accounts as accounts_api
from client.rest import dead_letters as dead_letters_api
from client.rest import images as images_pages
from client.rest import likes as likes_api
from client.rest import products as products_api
from client.rest import reconcile as reconcile_api
from client.rest import state
from client.storefront import account as account_pages
from client.storefront import pages as shop_pages
from runtime import logs, tracing
from runtime.metrics import MetricsSettings
from runtime.settings import WebSettings
from web.http.api import init_api
from web.http.head import init_head
from web.http.health import init_health
from web.http.metrics import init_metrics
from web.http.problems import database_unavailable, init_problems
from web.http.request_ids import init_request_ids
from web.pages.layout import init_pages
from web.security.headers import init_headers
from web.security.limits import LimitSettings, init_limits, limit_sign_in
from web.security.read_only import init_read_only
from web.security.signatures import init_signatures, parse_keys
from web.security.tokens import init_tokens

OPEN_WHEN_READ_ONLY = {"web.choose_theme", "account.sign_out", "auth.sign_in", "auth.refresh", "auth.revoke"}
log = structlog.get_logger(__name__)

PASSWORD_DOORS = (
    *("auth.sign_in", "auth.sign_up", "auth.close_account"),
    *("account.sign_in", "account.sign_up", "account.change_password", "account.erase"),
)


def create_app(settings: ClientSettings | None = None) -> Flask:
    """Create the Client's web application. Settings come from the environment unless given. Raises SettingsError."""
    settings = settings or ClientSettings()
    logs.configure()
    tracing.start("client")
    app = Flask("client")
    init_head(app)
    tracing.watch(app)
    app.config.update(SECRET_KEY=settings.client_secret_key.get_secret_value())
    store.connect(settings, PoolListener(), store.WriteListener())
    init_metrics(app, MetricsSettings(), ClientState())
    init_headers(app, WebSettings())
    init_request_ids(app)
    init_problems(app)
    limiter = init_limits(app, LimitSettings(), polls=("shop.live",))
    init_pages(app, "Lockstep shop", {"shop": storefront.ASSETS})
    for outage in store.OUTAGES:
        app.register_error_handler(outage, _store_unavailable)
    init_read_only(app, WebSettings().read_only, OPEN_WHEN_READ_ONLY)
    init_tokens(app, "client", load_shopper)
    init_shop_sessions(app)
    oidc.init_oidc(app, settings)
    init_signatures(app, parse_keys(settings.service_keys), audience="client")
    init_likes_announcer(app)
    api = init_api(app, "Lockstep Client")
    for feature in (accounts_api, products_api, likes_api):
        api.register_blueprint(feature.blp)
    api.register_blueprint(images_pages.blp)
    for door in (products_api.service_blp, reconcile_api.blp, dead_letters_api.blp, state.blp):
        api.register_blueprint(door)
    for pages in (shop_pages.blp, account_pages.blp):
        app.register_blueprint(pages)
    limit_sign_in(app, limiter, LimitSettings(), PASSWORD_DOORS)
    init_health(app, {"database": _check_store})
    return app


def _check_store() -> None:
    if store.database()["migrations"].find_one() is None:
        raise PyMongoError("not migrated: run 'lockstep migrate client'")


def _store_unavailable(error: Exception) -> Response:
    log.warning("the database is not available", error=str(error))
    return database_unavailable()
