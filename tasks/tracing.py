"""Starts tracing in each child of a worker's pool after the fork, and sends the last spans when the child ends."""

from typing import Any

from celery import signals

from runtime import tracing


@signals.worker_process_init.connect
def _start(**_: Any) -> None:
    tracing.start("worker")


@signals.worker_process_shutdown.connect
def _flush(**_: Any) -> None:
    tracing.flush()
