"""What every process of Admin is built on: logs, traces, the database, and the ways to the Client and the broker."""

from flask import Flask

from admin.config import AdminSettings
from admin.db import engine
from admin.db.extensions import db
from admin.monitoring.metrics import watch_pool
from admin.monitoring.queue_depths import init_queue_depths
from admin.outbox.client_gateway import init_client_gateway
from admin.outbox.eager_publisher import init_eager_publisher
from runtime import logs, tracing
from web.security.signatures import parse_keys


def create_core(settings: AdminSettings | None = None) -> Flask:
    """Create an application for the relay and the commands, which serve no requests.

    The web application extends it. Settings come from the environment unless given. Raises SettingsError.
    """
    settings = settings or AdminSettings()
    logs.configure()
    tracing.start("admin")
    app = Flask("admin")
    url = settings.admin_database_url.get_secret_value()
    app.config.update(
        SECRET_KEY=settings.admin_secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine.engine_options(url),
    )
    db.init_app(app)
    with app.app_context():
        engine.init_engine(db.engine)
        tracing.watch(engine=db.engine)
        watch_pool(db.engine)
    init_client_gateway(app, settings.admin_client_url, parse_keys(settings.service_keys))
    init_eager_publisher(app)
    init_queue_depths(app)
    return app
