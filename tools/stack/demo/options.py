"""The demo's command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.stack.ports import require_free

HOME = Path(__file__).resolve().parents[3] / ".lockstep"


@dataclass(frozen=True)
class Options:
    """The options of one run; paths are absolute."""

    state: Path
    admin_port: int
    client_port: int
    flower_port: int
    once: bool
    fresh: bool
    install: bool
    read_only: bool

    def check_ports(self) -> None:
        """Check that the ports are free. Raises PortTakenError, which names the option to use."""
        require_free(self.admin_port, "Admin", "--admin-port")
        require_free(self.client_port, "the Client", "--client-port")
        require_free(self.flower_port, "Flower", "--flower-port")


def parse(arguments: Sequence[str]) -> Options:
    """Parse the command line. Exits with 2 and a message where it is invalid."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Install Lockstep into .lockstep/, run it, and show a product and a like arriving.",
        epilog="Ctrl-C stops everything. Data and accounts remain for the next run.",
    )
    parser.add_argument("--once", action="store_true", help="stop after the demonstration")
    parser.add_argument("--fresh", action="store_true", help="start with empty databases and new accounts")
    parser.add_argument("--read-only", action="store_true", help="for public demonstrations: users can change nothing")
    parser.add_argument("--admin-port", type=_port, default=5001, metavar="PORT", help="default: 5001")
    parser.add_argument("--client-port", type=_port, default=5002, metavar="PORT", help="default: 5002")
    parser.add_argument("--flower-port", type=_port, default=5555, metavar="PORT", help="default: 5555")
    parser.add_argument(
        "--state", type=Path, default=HOME, metavar="DIR", help="folder of databases and logs; default: .lockstep"
    )
    parser.add_argument("--no-install", dest="install", action="store_false", help="use this Python and its packages")
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
