"""What the Celery worker needs of the Client: its store and its gateway, made in the process that uses them."""

from functools import cache

from client.admin_gateway import AdminGateway
from client.config import ClientSettings
from client.store import connect


@cache
def gateway() -> AdminGateway:
    """Connect this process and return its gateway. First called by a task, so after the pool forked."""
    settings = ClientSettings()
    connect(settings)
    return AdminGateway(settings)
