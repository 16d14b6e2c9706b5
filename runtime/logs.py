"""Structured logs on stderr: pretty on a terminal, JSON lines elsewhere."""

import logging
import sys
from typing import Any, Literal

import structlog
from pydantic import Field, field_validator

from runtime import uncaught
from runtime.masking import mask
from runtime.settings import Settings


class LogSettings(Settings):
    """Logs: every process."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="The lowest level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`. `DEBUG` adds "
        "a line for each product that is sent again.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _to_upper(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level


def configure() -> None:
    """Send the records of structlog and of the standard library through one formatter, which masks secrets of the
    settings. Tracebacks that Python prints are masked too. Idempotent. Raises SettingsError.
    """
    uncaught.explain()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    pretty = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if pretty else [structlog.processors.format_exc_info]),
                renderer,
                _masked,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LogSettings().log_level)
    # At DEBUG these log secrets: statements with values, headers.
    for name in ("amqp", "kombu", "pymongo", "sqlalchemy", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _masked(_logger: Any, _name: str, line: Any) -> str:
    return mask(str(line))
