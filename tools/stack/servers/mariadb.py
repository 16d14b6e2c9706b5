"""MariaDB from the system's packages: Admin's database in production and in the tests."""

import os
import secrets
from pathlib import Path

import pymysql  # type: ignore[import-untyped]  # it ships no types

from tools.stack.ports import HOST, free_port, is_open
from tools.stack.process import Process
from tools.stack.servers import programs

USER = "lockstep"
_PACKAGE = "mariadb-server"


class MariaDB(Process):
    """A private server with its data in ``folder``, a database ``lockstep`` and a user for it.

    ``memory`` is what it keeps of tables and indexes.
    """

    def __init__(self, folder: Path, *, port: int | None = None, memory: str = "128M") -> None:
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(32)
        self.root_password = secrets.token_urlsafe(32)
        self._folder = folder
        self._data = folder / "data"
        self._init = folder / "init.sql"
        super().__init__(
            "MariaDB",
            [
                str(programs.find("mariadbd", _PACKAGE)),
                "--no-defaults",  # must come first; ignores the settings of the system's server
                f"--datadir={self._data}",
                "--socket=mariadb.sock",  # unused; relative to the data, as a socket's path must be short
                f"--pid-file={folder / 'mariadbd.pid'}",
                f"--init-file={self._init}",
                f"--port={self.port}",
                f"--bind-address={HOST}",
                "--skip-networking=0",
                "--character-set-server=utf8mb4",
                f"--innodb-buffer-pool-size={memory}",
                *_user_option(),
            ],
            log=folder / "mariadb.log",
            env=os.environ,
            cwd=folder.parent,
            ready=self._answers,
        )

    def url(self, database: str = "lockstep") -> str:
        """Return the SQLAlchemy URL of ``database`` for Lockstep's user."""
        return f"mysql+pymysql://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database in place of one of that name, and return its URL."""
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")
        self.execute(f"CREATE DATABASE `{name}`")
        self.execute(f"GRANT ALL ON `{name}`.* TO '{USER}'@'{HOST}'")
        return self.url(name)

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement as root, such as ``KILL``, and return its rows. Raises pymysql's errors."""
        connection = pymysql.connect(
            host=HOST,
            port=self.port,
            user="root",
            password=self.root_password,
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def start(self) -> None:
        """Create the data folder where it is missing, and start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "mysql").exists():
            self._install()
        self._init.touch(mode=0o600)
        # One statement per line, executed at every start before the first connection.
        self._init.write_text(
            f"ALTER USER root@localhost IDENTIFIED BY '{self.root_password}';\n"
            "CREATE DATABASE IF NOT EXISTS lockstep;\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'{HOST}' IDENTIFIED BY '{self.password}';\n"
            f"ALTER USER '{USER}'@'{HOST}' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON lockstep.* TO '{USER}'@'{HOST}';\n"
        )
        super().start()

    def _install(self) -> None:
        options = ["--no-defaults", f"--datadir={self._data}", "--skip-test-db"]
        install = programs.find("mariadb-install-db", _PACKAGE)
        programs.run([str(install), *options, "--auth-root-authentication-method=normal", *_user_option()])

    def _answers(self) -> bool:
        if not is_open(self.port):
            return False
        try:
            self.execute("SELECT 1")
        except pymysql.MySQLError:
            return False
        return True


def _user_option() -> list[str]:
    """Return the option by which root allows a server as root; other users need none."""
    return ["--user=root"] if os.geteuid() == 0 else []
