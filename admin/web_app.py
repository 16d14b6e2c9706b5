"""Admin's web application: pages, REST API and calls from the Client. ``gunicorn admin:create_app()`` runs it."""

import structlog
from flask import Flask, Response
from sqlalchemy import text

from admin.accounts.sessions import init_console_sessions
from admin.accounts.tokens import load_actor
from admin.config import AdminSettings
from admin.console import account_pages as accounts_pages
from admin.console import owner_pages
from admin.console.pages import ASSETS as CONSOLE_ASSETS
from admin.console.pages import init_console
from admin.core import create_core
from admin.db.engine import OUTAGES
from admin.db.extensions import db
from admin.monitoring.metrics import ReplicationState
from admin.rest import accounts as accounts_api
from admin.rest import dead_letters as dead_letters_api
from admin.rest import images as images_api
from admin.rest import imports as imports_api
from admin.rest import likes as likes_api
from admin.rest import owners, product_batch
from admin.rest import products as products_api
from admin.rest import replication as replication_api
from runtime import tracing
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

# Allowed in read-only mode: signing in changes nothing that others see.
OPEN_WHEN_READ_ONLY = {
    "web.choose_theme",
    "accounts.sign_in",
    "accounts.sign_out",
    "auth.sign_in",
    "auth.refresh",
    "auth.revoke",
}
log = structlog.get_logger(__name__)

PASSWORD_ENDPOINTS = ("auth.sign_in", "accounts.sign_in", "accounts.change_password")


def create_app(settings: AdminSettings | None = None) -> Flask:
    """Create Admin's web application. Settings come from the environment unless given. Raises SettingsError."""
    settings = settings or AdminSettings()
    app = create_core(settings)
    init_head(app)
    tracing.watch(app)
    init_metrics(app, MetricsSettings(), ReplicationState())
    init_headers(app, WebSettings())
    init_request_ids(app)
    init_problems(app)
    limiter = init_limits(app, LimitSettings(), polls=("console.live_",))
    init_pages(app, "Lockstep console", {"console": CONSOLE_ASSETS})
    for outage in OUTAGES:
        app.register_error_handler(outage, _database_unavailable)
    init_read_only(app, WebSettings().read_only, OPEN_WHEN_READ_ONLY)
    init_tokens(app, "admin", load_actor)
    init_console_sessions(app)
    app.register_blueprint(accounts_pages.blp)
    app.register_blueprint(owner_pages.blp)
    init_signatures(app, parse_keys(settings.service_keys), audience="admin")
    api = init_api(app, "Lockstep Admin")
    for blueprint in (
        accounts_api.blp,
        owners.blp,
        products_api.blp,
        product_batch.blp,
        products_api.service_blp,
        images_api.blp,
        images_api.pages,
        images_api.service_blp,
        imports_api.blp,
        likes_api.blp,
        replication_api.blp,
        dead_letters_api.blp,
    ):
        api.register_blueprint(blueprint)
    init_console(app, settings.admin_shop_url, settings.admin_flower_url)
    limit_sign_in(app, limiter, LimitSettings(), PASSWORD_ENDPOINTS)
    init_health(app, {"database": lambda: db.session.execute(text("SELECT 1 FROM sync_state")).close()})
    return app


def _database_unavailable(error: Exception) -> Response:
    log.warning("the database is unavailable", error=str(error.__cause__ or error))
    return database_unavailable()
