"""Admin: owns the product catalogue (MySQL) and sends every change to the Client.

Importing the package imports none of its modules, so that each process loads only those that it uses: the relay and
the commands load no pages and no REST API.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from admin.config import AdminSettings


def create_app(settings: "AdminSettings | None" = None) -> "Flask":
    """Create Admin's web application. Settings come from the environment unless given. Raises SettingsError."""
    from admin import web_app  # here: see above

    return web_app.create_app(settings)
