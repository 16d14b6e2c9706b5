"""OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT asks for it: one trace from an HTTP write to the write in MongoDB.

Off, it imports nothing and costs an ``if``. Everything that knows OpenTelemetry is in ``runtime.opentelemetry_setup``.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from runtime.settings import BaseUrl, Settings, SettingsError

_otel: Any = None  # runtime.opentelemetry_setup, once tracing has started


class TracingSettings(Settings):
    """Traces: every process. The OpenTelemetry SDK reads more variables, such as ``OTEL_SERVICE_NAME`` and
    ``OTEL_TRACES_SAMPLER``, from the environment alone.
    """

    otel_exporter_otlp_endpoint: BaseUrl | None = Field(
        None,
        description="Base URL of an OpenTelemetry collector that accepts OTLP over HTTP: "
        "`http://127.0.0.1:4318`. Without it, tracing is off.",
    )


def start(service: str) -> None:
    """Trace this process as ``service``, where an endpoint is set. Only the first call has an effect.

    Call it after any fork, as its exporter is a thread, and before connecting to the stores. Raises SettingsError.
    """
    global _otel
    endpoint = TracingSettings().otel_exporter_otlp_endpoint
    if endpoint is None or _otel is not None:
        return
    try:
        from runtime import opentelemetry_setup
    except ImportError as error:
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is missing: run pip install 'lockstep[tracing]'"
        ) from None
    opentelemetry_setup.start(service, endpoint)
    _otel = opentelemetry_setup


def watch(app: Any = None, engine: Any = None) -> None:
    """Trace a Flask application's requests and a SQLAlchemy engine's statements."""
    if _otel is not None:
        _otel.watch(app, engine)


def traceparent() -> str | None:
    """Return the current W3C trace context; None where tracing is off."""
    return _otel.traceparent() if _otel is not None else None


@contextmanager
def span(name: str, kind: str, causes: Iterable[str | None] = (), **attributes: Any) -> Iterator[None]:
    """Trace the block as a span of ``kind`` ``producer`` or ``consumer``.

    The span belongs to the trace of the first of ``causes``, each a traceparent, and links to the traces of the others.
    """
    if _otel is None:
        yield
    else:
        with _otel.span(name, kind, causes, attributes):
            yield


def flush() -> None:
    """Send pending spans. Call it before a process ends without its exit handlers."""
    if _otel is not None:
        _otel.flush()
