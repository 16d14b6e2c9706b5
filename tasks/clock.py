"""A control command that reports a worker's time, with which doctor and health checks compare clocks."""

import time

from celery.worker.control import inspect_command

from contract import names


@inspect_command(name=names.REPORT_TIME)
def report_time(_state: object) -> dict[str, float]:
    """Return this worker's time in seconds since 1970."""
    return {"now": time.time()}
