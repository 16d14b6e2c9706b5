"""Client: the shop. Holds a read copy of the catalogue (MongoDB) and owns the likes."""

import structlog
from flask import Flask, Response
from pymongo.errors import PyMongoError

from client import extensions, state, storefront
from client.accounts import api as accounts_api
from client.accounts import oidc
from client.accounts.sessions import init_shop_sessions
from client.accounts.tokens import load_shopper
from client.config import ClientSettings
from client.dead_letters import api as dead_letters_api
from client.images import pages as images_pages
from client.likes import api as likes_api
from client.likes.announcer import init_likes_announcer
from client.metrics import ClientState, PoolListener
from client.products import api as products_api
from client.reconcile import api as reconcile_api
from client.storefront import account as account_pages
from client.storefront import pages as shop_pages
from web import logs, tracing
from web.api import init_api
from web.head import init_head
from web.headers import init_headers
from web.health import init_health
from web.limits import LimitSettings, init_limits, limit_sign_in
from web.metrics import MetricsSettings, init_metrics
from web.pages import init_pages
from web.problems import database_unavailable, init_problems
from web.read_only import init_read_only
from web.request_ids import init_request_ids
from web.settings import WebSettings
from web.signatures import init_signatures, parse_keys
from web.tokens import init_tokens

OPEN_WHEN_READ_ONLY = {"web.choose_theme", "account.sign_out", "auth.sign_in", "auth.refresh", "auth.revoke"}
log = structlog.get_logger(__name__)

PASSWORD_DOORS = (
    *("auth.sign_in", "auth.sign_up", "auth.close_account"),
    *("account.sign_in", "account.sign_up", "account.change_password", "account.erase"),
)


def create_app(settings: ClientSettings | None = None) -> Flask:
    """Wire the Client up. Settings come from the environment unless given. Raises SettingsError."""
    settings = settings or ClientSettings()
    logs.configure()
    tracing.start("client")
    app = Flask(__name__)
    init_head(app)
    tracing.watch(app)
    app.config.update(SECRET_KEY=settings.client_secret_key.get_secret_value())
    extensions.connect(settings, PoolListener(), extensions.WriteListener())
    init_metrics(app, MetricsSettings(), ClientState())
    init_headers(app, WebSettings())
    init_request_ids(app)
    init_problems(app)
    limiter = init_limits(app, LimitSettings(), polls=("shop.live",))
    init_pages(app, "Lockstep shop", {"shop": storefront.ASSETS})
    for outage in extensions.OUTAGES:
        app.register_error_handler(outage, _store_unavailable)
    init_read_only(app, WebSettings().read_only, OPEN_WHEN_READ_ONLY)
    init_tokens(app, audience="client").user_lookup_loader(load_shopper)
    init_shop_sessions(app)
    oidc.init_oidc(app, settings)
    init_signatures(app, parse_keys(settings.service_keys), audience="client")
    init_likes_announcer(app)
    dead_letters_api.init_dead_letters(app)
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
    if extensions.database()["migrations"].find_one() is None:
        raise PyMongoError("not migrated: run 'lockstep migrate client'")


def _store_unavailable(error: Exception) -> Response:
    log.warning("the database is not available", error=str(error))
    return database_unavailable()
