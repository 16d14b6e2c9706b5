"""The OpenTelemetry part of tracing. Only ``runtime.tracing`` imports it, where tracing is on.

Celery's instrumentation is not used: it never ends the span of a task that is sent by name, as all of ours are.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import request
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_ROUTINE = "/livez$,/readyz$,/metrics$"  # called every few seconds by probes and scrapers
_FLUSH_MS = 2_000

_kinds = {"producer": trace.SpanKind.PRODUCER, "consumer": trace.SpanKind.CONSUMER}
_propagator = TraceContextTextMapPropagator()


def start(service: str, endpoint: str) -> None:
    name = os.environ.get("OTEL_SERVICE_NAME", f"lockstep-{service}")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    RequestsInstrumentor().instrument()
    PymongoInstrumentor().instrument()  # without statements, which contain values


def watch(app: Any, engine: Any) -> None:
    if app is not None:
        instrument: Any = FlaskInstrumentor().instrument_app  # has no types
        instrument(app, response_hook=_without_query, excluded_urls=_ROUTINE, enable_commenter=False)
    if engine is not None:
        SQLAlchemyInstrumentor().instrument(engine=engine)  # statements have placeholders for values


def _without_query(span: trace.Span, *_answer: Any) -> None:
    """Remove the query, which may contain secrets such as the code of a sign-in. In older and newer conventions."""
    if span.is_recording():
        span.set_attributes({"http.target": request.path, "http.url": request.path, "url.query": ""})


def traceparent() -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(name: str, kind: str, causes: Iterable[str | None], attributes: Mapping[str, Any]) -> Iterator[None]:
    contexts = [_propagator.extract({"traceparent": cause}) for cause in dict.fromkeys(causes) if cause]
    links = [trace.Link(trace.get_current_span(context).get_span_context()) for context in contexts[1:]]
    tracer = trace.get_tracer(__name__)
    parent = contexts[0] if contexts else None
    with tracer.start_as_current_span(name, parent, _kinds[kind], attributes, links=links):
        yield


def flush() -> None:
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(_FLUSH_MS)
