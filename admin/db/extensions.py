"""Flask extensions of Admin, made once and bound in ``create_app``."""

from typing import TYPE_CHECKING

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Base of every model."""


# Objects stay readable after the commit that saved them: the answer and the eager publisher need them.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
if TYPE_CHECKING:
    Model = Base  # what type checkers can follow
else:
    Model = db.Model
