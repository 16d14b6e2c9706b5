"""RabbitMQ from the system's packages: the broker in production and in the tests."""

import os
import secrets
from pathlib import Path

import amqp

from tools.stack.ports import HOST, free_port, is_open
from tools.stack.process import Process, ProcessFailedError
from tools.stack.servers import programs

USER = "lockstep"
# Debian's wrappers in /usr/sbin insist on root or the user rabbitmq; these are the scripts behind them.
_SCRIPTS = "/usr/lib/rabbitmq/bin"
_PACKAGE = "rabbitmq-server"


class RabbitMQ(Process):
    """A private node with its data, cookie and logs in ``folder``, and a name server (epmd) of its own.

    A node made ``beside`` another shares its name server, cookie and password, so that they can be one cluster.
    """

    def __init__(self, folder: Path, *, port: int | None = None, beside: "RabbitMQ | None" = None) -> None:
        self.port = port or free_port()
        self.password: str = beside.password if beside else secrets.token_urlsafe(32)
        self.node = f"lockstep-{self.port}@localhost"
        self._folder = folder
        self._env = self._environment()
        if beside:
            self._env |= {name: beside._env[name] for name in ("HOME", "ERL_EPMD_PORT")}
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
        self._shares = beside is not None
        self.name_server: Process = beside.name_server if beside else self._name_server()

    def url(self, vhost: str = "/") -> str:
        """Return the AMQP URL of ``vhost``, with user and password."""
        return f"amqp://{USER}:{self.password}@{HOST}:{self.port}/{'' if vhost == '/' else vhost}"

    def create_vhost(self, name: str) -> str:
        """Create a virtual host for Lockstep's user and return its URL."""
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, USER, ".*", ".*", ".*")
        return self.url(name)

    def ctl(self, *arguments: str, timeout: float = 60) -> str:
        """Run ``rabbitmqctl`` on this node and return its output. Raises StackError."""
        script = programs.find("rabbitmqctl", _PACKAGE, where=_SCRIPTS)
        return programs.run([str(script), "--quiet", *arguments], env=self._env, timeout=timeout)

    def start(self) -> None:
        """Start the node, and the name server unless it runs."""
        self._write_configuration()
        if not self.name_server.running:
            self.name_server.start()
            self.name_server.wait_ready()
        super().start()

    def stop(self) -> None:
        """Stop the node, then its name server, if it has one of its own."""
        super().stop()
        if not self._shares:
            self.name_server.stop()

    def join(self, other: "RabbitMQ") -> None:
        """Make this fresh node a member of ``other``'s cluster. Both must run."""
        for command in (["stop_app"], ["reset"], ["join_cluster", other.node], ["start_app"]):
            self.ctl(*command)

    def _environment(self) -> dict[str, str]:
        """Return the environment that separates the node from others on this machine."""
        folder = self._folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(folder),  # folder of the Erlang cookie
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",  # to standard output, and so to the log of this process
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_CRASH_DUMP_SECONDS": "0",  # no crash dump of hundreds of megabytes
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
        """Start a name server, as one started by the node would remain as a daemon."""
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
        if not self.name_server.running:
            raise ProcessFailedError(self.name_server.account(self.name_server.outcome))
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
