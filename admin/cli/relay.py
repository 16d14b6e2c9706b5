"""``lockstep relay``: the process that sends and verifies changes."""

import signal
from pathlib import Path

import click

from admin import maintenance
from admin.core import create_core
from admin.imports import runner as imports
from admin.relay.loop import Relay
from contract.config import BrokerSettings
from runtime import tracing
from runtime.heartbeat import Heartbeat
from runtime.metrics import MetricsSettings
from runtime.metrics_server import MetricsServer


@click.command()
@click.option(
    "--heartbeat",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Touch this file while working; 'lockstep health relay' checks its age.",
)
def relay(heartbeat: Path | None) -> None:
    """Send changes to the Client, verify that they arrived, and carry out uploaded imports.

    Any number of relays may run. SIGTERM or Ctrl-C stops one after the current step, within seconds; unverified
    changes stay due.

    \b
    Examples, the second for a supervisor:
      lockstep relay
      lockstep relay --heartbeat /run/lockstep/relay
    """
    BrokerSettings()  # fails at the start when it is wrong
    metrics = MetricsServer(MetricsSettings())
    tracing.start("relay")
    app = create_core()
    with app.app_context():
        metrics.start()
        process = Relay(Heartbeat(heartbeat) if heartbeat else None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop())
        with imports.running(app), maintenance.running(app):
            process.run()
