"""Connects a process of the Celery worker, or a command, to the store and to Admin."""

from functools import cache

from client.admin_gateway import AdminGateway
from client.config import ClientSettings
from client.store import connect


@cache
def gateway() -> AdminGateway:
    """Connect this process to the store and return its gateway to Admin. Tasks call it after the pool forked."""
    settings = ClientSettings()
    connect(settings)
    return AdminGateway(settings)
