"""Admin's SQLAlchemy extension, bound to the app in ``create_core``."""

from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Base of every model."""


# Objects stay readable after their commit, for the answer and the eager publisher.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
if TYPE_CHECKING:
    Model = Base  # type checkers do not know db.Model
else:
    Model = db.Model
