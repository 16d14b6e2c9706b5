"""RabbitMQ from the system's packages: the broker in production and in the tests."""

import os
import secrets
from pathlib import Path

import amqp

from stack.ports import HOST, free_port, is_open
from stack.process import Process, ProcessFailedError
from stack.servers import programs

USER = "lockstep"
# Debian's wrappers in /usr/sbin insist on root or the user rabbitmq; these are the scripts behind them.
_SCRIPTS = "/usr/lib/rabbitmq/bin"
_PACKAGE = "rabbitmq-server"


class RabbitMQ(Process):
    """A private node with its data, cookie and logs in ``folder``, and a name server (epmd) of its own."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(32)
        self._folder = folder
        self._env = self._environment()
        super().__init__(
            "RabbitMQ",
            [str(programs.find("rabbitmq-server", _PACKAGE, where=_SCRIPTS))],
            log=folder / "rabbitmq.log",
            env=self._env,
            cwd=folder,
            ready=self._answers,
            ready_within=120,
            stop_within=30,
        )
        self._epmd = self._name_server()

    def url(self, vhost: str = "/") -> str:
        """Return the AMQP URL of ``vhost``, with user and password."""
        return f"amqp://{USER}:{self.password}@{HOST}:{self.port}/{'' if vhost == '/' else vhost}"

    def create_vhost(self, name: str) -> str:
        """Create a virtual host for Lockstep's user and return its URL."""
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, USER, ".*", ".*", ".*")
        return self.url(name)

    def ctl(self, *arguments: str, timeout: float = 60) -> str:
        """Run ``rabbitmqctl`` against this node and return what it printed. Raises StackError."""
        script = programs.find("rabbitmqctl", _PACKAGE, where=_SCRIPTS)
        return programs.run([str(script), "--quiet", *arguments], env=self._env, timeout=timeout)

    def start(self) -> None:
        """Start the name server, unless it runs, and the node."""
        self._write_configuration()
        if not self._epmd.running:
            self._epmd.start()
            self._epmd.wait_ready()
        super().start()

    def stop(self) -> None:
        """End the node, then its name server."""
        super().stop()
        self._epmd.stop()

    def _environment(self) -> dict[str, str]:
        """Return the environment that keeps the node apart from any other on this machine."""
        folder = self._folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(folder),  # where the Erlang cookie lives
            "RABBITMQ_NODENAME": f"lockstep-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",  # to its standard output, so to our log
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_CRASH_DUMP_SECONDS": "0",  # no dump of hundreds of megabytes after a kill
        }

    def _write_configuration(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"default_user = {USER}\n"
            f"default_pass = {self.password}\n"
            "disk_free_limit.absolute = 50MB\n"  # the default would raise the alarm on a small test machine
            "log.console.level = warning\n"
        )
        (self._folder / "rabbitmq-env.conf").touch()
        (self._folder / "enabled_plugins").write_text("[].\n")

    def _name_server(self) -> Process:
        """Started by us, because the node would leave its own behind as a daemon."""
        port = int(self._env["ERL_EPMD_PORT"])
        return Process(
            "epmd",
            [str(programs.find("epmd", "erlang-base")), "-address", HOST, "-port", str(port)],
            log=self._folder / "epmd.log",
            env=self._env,
            cwd=self._folder,
            ready=lambda: is_open(port),
        )

    def _answers(self) -> bool:
        if not self._epmd.running:
            raise ProcessFailedError(self._epmd.account(self._epmd.outcome))
        if not is_open(self.port):
            return False
        connection = amqp.Connection(f"{HOST}:{self.port}", USER, self.password, connect_timeout=2, read_timeout=5)
        try:
            connection.connect()
        except (OSError, amqp.AMQPError):
            return False
        finally:
            connection.collect()
        return True
