"""The demo's command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.stack.ports import require_free

HOME = Path(__file__).resolve().parents[3] / ".lockstep"


@dataclass(frozen=True)
class Options:
    """What the user asked for; paths are absolute."""

    state: Path
    admin_port: int
    client_port: int
    flower_port: int
    once: bool
    fresh: bool
    install: bool
    read_only: bool

    def check_ports(self) -> None:
        """Make sure that nobody else uses the ports. Raises PortTakenError, which names the option to use."""
        require_free(self.admin_port, "Admin", "--admin-port")
        require_free(self.client_port, "the Client", "--client-port")
        require_free(self.flower_port, "Flower", "--flower-port")


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line. Exits with 2 and a message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Install Lockstep into .lockstep/, run all of it, and show a product and a like go across.",
        epilog="Ctrl-C stops everything. What was created is kept for the next time.",
    )
    parser.add_argument("--once", action="store_true", help="end after showing the main job")
    parser.add_argument("--fresh", action="store_true", help="begin with empty databases and new accounts")
    parser.add_argument(
        "--read-only", action="store_true", help="for showing it to anyone: no main job, and people change nothing"
    )
    parser.add_argument("--admin-port", type=_port, default=5001, metavar="PORT", help="default: 5001")
    parser.add_argument("--client-port", type=_port, default=5002, metavar="PORT", help="default: 5002")
    parser.add_argument("--flower-port", type=_port, default=5555, metavar="PORT", help="default: 5555")
    parser.add_argument(
        "--state", type=Path, default=HOME, metavar="DIR", help="where databases and logs live; default: .lockstep"
    )
    parser.add_argument(
        "--no-install", dest="install", action="store_false", help="use this very Python, with its packages as they are"
    )
    options = parser.parse_args(arguments)
    options.state = options.state.absolute()
    chosen = Options(**vars(options))
    if len({chosen.admin_port, chosen.client_port, chosen.flower_port}) < 3:
        parser.error("the three ports must differ")
    return chosen


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port
