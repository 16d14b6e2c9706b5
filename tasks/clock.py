"""What time it is at a worker: a control command, so that the doctor and health checks can compare clocks."""

import time

from celery.worker.control import inspect_command

from contract import names


@inspect_command(name=names.REPORT_TIME)
def report_time(_state: object) -> dict[str, float]:
    """Answer with this worker's clock, in seconds since 1970."""
    return {"now": time.time()}
