"""Brings the database's schema to a revision, with Alembic. Needs the application's context."""

from pathlib import Path

from alembic import command
from alembic.config import Config

NONE = "base"  # the revision before the first: no tables


def config() -> Config:
    return Config(Path(__file__).parent / "migrations" / "alembic.ini")


def upgrade(revision: str = "head") -> None:
    """Run the migrations up to ``revision``. Raises CommandError where there is no such revision."""
    command.upgrade(config(), revision)


def downgrade(revision: str = NONE) -> None:
    """Undo the migrations after ``revision``. Raises CommandError where there is no such revision."""
    command.downgrade(config(), revision)
