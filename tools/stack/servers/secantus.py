"""SecantusDB from PyPI: MongoDB's wire protocol over WiredTiger. It replaces MongoDB where there is none."""

import os
import sys
from pathlib import Path

from tools.stack.ports import HOST, free_port, is_open
from tools.stack.process import Process


class Secantus(Process):
    """A private server with its data in ``folder``. It has no password: bind and use it on loopback only."""

    def __init__(self, folder: Path, *, port: int | None = None, log: Path | None = None) -> None:
        self.port = port or free_port()
        super().__init__(
            "SecantusDB",
            [
                str(Path(sys.executable).with_name("secantusd-py")),
                *("--host", HOST, "--port", str(self.port)),
                *("--storage-path", str(folder / "data"), "--log-level", "WARNING"),
                # An acknowledged write survives a power cut. It costs little: 520 inserts/s instead of 600.
                "--sync-on-commit",
                # Less than the default of a gigabyte, for a demo on a laptop.
                *("--cache-size", "256M"),
            ],
            log=log or folder / "secantus.log",
            env=os.environ,
            cwd=folder,
            ready=lambda: is_open(self.port),
            # A regular stop takes 2 s, and sometimes hangs (a beta); acknowledged writes are on the disk in any case.
            stop_within=6,
        )
        folder.mkdir(parents=True, exist_ok=True)

    def url(self, database: str) -> str:
        """Return the URL of ``database``, which need not exist yet."""
        return f"mongodb://{HOST}:{self.port}/{database}"
