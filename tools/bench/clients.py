"""Start the load process and read its results."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tools.bench.errors import BenchError
from tools.stack.product import ROOT

CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients sent: ``took`` seconds in all, and the ``seconds`` of each request."""

    took: float
    seconds: list[float]

    @property
    def count(self) -> int:
        """Answered requests."""
        return len(self.seconds)

    @property
    def rate(self) -> float:
        """Answered requests per second."""
        return len(self.seconds) / self.took


def run(kind: str, port: int, token: str, seconds: float, **orders: Any) -> Load:
    """Send requests from eight clients for ``seconds``. Raises BenchError where any fails."""
    orders |= {"kind": kind, "port": port, "token": token, "seconds": seconds, "clients": CLIENTS}
    command = [sys.executable, "-m", "tools.bench.load"]
    done = subprocess.run(command, input=json.dumps(orders).encode(), capture_output=True, check=False, cwd=ROOT)
    if done.returncode:
        raise BenchError(f"the load ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    seen = json.loads(done.stdout)
    if seen["failures"] or not seen["seconds"]:
        raise BenchError(f"{len(seen['failures'])} requests failed, such as {seen['failures'][:1]}")
    return Load(seen["took"], seen["seconds"])
