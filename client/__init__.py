"""Client: the shop. Stores a read copy of the catalogue in MongoDB and owns the likes.

Importing the package imports none of its modules, so that each process loads only those that it uses: the worker and
the commands load no pages and no REST API.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from client.config import ClientSettings


def create_app(settings: "ClientSettings | None" = None) -> "Flask":
    """Create the Client's web application. Settings come from the environment unless given. Raises SettingsError."""
    from client import web_app  # here: see above

    return web_app.create_app(settings)
