"""Lockstep's processes, started by the commands that an operator would use."""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tools.stack import readiness
from tools.stack.ports import HOST
from tools.stack.process import Process, start_all, stop_all

ROOT = Path(__file__).resolve().parents[2]
# Started with these, whatever the shell around us holds for another installation.
_OURS = (
    "ADMIN_",
    "CLIENT_",
    "CELERY_",
    "FLOWER_",
    "METRICS_",
    "SERVICE_KEYS",
    "TRUSTED_PROXIES",
    "CORS_",
    "READ_ONLY",
    "RATE_LIMIT",
    "LOG_",
    "OTEL_",
)


def new_secret() -> str:
    """Return a random secret of 43 characters."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Secrets:
    """The secrets that the processes share."""

    admin_secret_key: str = field(default_factory=new_secret)
    client_secret_key: str = field(default_factory=new_secret)
    service_secret: str = field(default_factory=new_secret)
    flower_password: str = field(default_factory=new_secret)


@dataclass(frozen=True)
class Addresses:
    """The URLs of the stores and the broker, and the ports of the three web processes."""

    database_url: str
    mongodb_url: str
    broker_url: str
    admin_port: int
    client_port: int
    flower_port: int

    @property
    def admin_url(self) -> str:
        return f"http://{HOST}:{self.admin_port}"

    @property
    def client_url(self) -> str:
        return f"http://{HOST}:{self.client_port}"

    @property
    def flower_url(self) -> str:
        return f"http://{HOST}:{self.flower_port}"


FLOWER_USER = "operator"
STOP_WITHIN = 30.0  # seconds for a regular stop, as in docker-compose.yml
UNLIMITED = {"RATE_LIMIT": "off", "RATE_LIMIT_SIGN_IN": "off"}


def settings(addresses: Addresses, keys: Secrets) -> dict[str, str]:
    """Return the variables that configure every process (see ``.env.example``)."""
    return {
        "ADMIN_DATABASE_URL": addresses.database_url,
        "ADMIN_SECRET_KEY": keys.admin_secret_key,
        "ADMIN_CLIENT_URL": addresses.client_url,
        "ADMIN_SHOP_URL": addresses.client_url,
        "ADMIN_FLOWER_URL": addresses.flower_url,
        "CLIENT_MONGODB_URL": addresses.mongodb_url,
        "CLIENT_SECRET_KEY": keys.client_secret_key,
        "CLIENT_ADMIN_URL": addresses.admin_url,
        "SERVICE_KEYS": f"stack:{keys.service_secret}",
        "CELERY_BROKER_URL": addresses.broker_url,
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{keys.flower_password}",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


class Product:
    """Every process of Lockstep, with its log in ``logs`` and beat's schedule in ``folder``.

    ``admin``, ``client``, ``relay``, ``worker``, ``beat`` and ``flower`` may each be killed, paused and restarted.
    ``changed`` settings win over those that follow from ``addresses`` and ``keys``. Only where ``limited`` do the rate
    limits hold: tests and measurements send from one address what a thousand shoppers would.
    """

    made: ClassVar[list["Product"]] = []
    """Every secret made in this process, so that a test run can search all logs for them."""

    def __init__(
        self,
        addresses: Addresses,
        keys: Secrets,
        *,
        folder: Path,
        logs: Path,
        changed: Mapping[str, str] | None = None,
        limited: bool = False,
    ) -> None:
        self.made.append(self)
        self.addresses = addresses
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        limits = {} if limited else UNLIMITED
        self.env: Mapping[str, str] = inherited | settings(addresses, keys) | limits | dict(changed or {})
        self._folder, self._logs = folder, logs
        self.admin = self._web("Admin", "admin", addresses.admin_port)
        self.client = self._web("Client", "client", addresses.client_port)
        self.relay = self.new_relay()
        self.worker = self.new_worker()
        self.beat = self.new_beat()
        self.flower = self._flower(addresses)

    @property
    def processes(self) -> tuple[Process, ...]:
        """All processes, in the order in which to stop them."""
        return (self.admin, self.client, self.flower, self.beat, self.relay, self.worker)

    def new_relay(self, name: str = "relay") -> Process:
        """Return a relay, not started; any number may run."""
        relay = self._process(name, "lockstep relay --heartbeat", str(self._folder / f"{name}.heartbeat"))
        relay.ready = lambda: relay.said("relay started")
        return relay

    def new_worker(self, name: str = "worker") -> Process:
        """Return a Celery worker, not started; any number may run, each under its own name."""
        node = f"{name}@lockstep"
        options = "--loglevel INFO --concurrency 2 --without-mingle --without-gossip"
        worker = self._process(name, f"celery -A tasks worker {options} -n {node}")
        worker.ready = lambda: worker.said(f"{node} ready")
        return worker

    def new_beat(self, name: str = "beat") -> Process:
        """Return a beat, not started, with a schedule file of its own."""
        beat = self._process(name, "celery -A tasks beat --schedule", str(self._folder / name))
        beat.ready = lambda: beat.said("beat: Starting")
        return beat

    def calls_with_likes(self) -> int:
        """Return the number of batches of likes that Admin's log shows since its start."""
        log: bytes = self.admin.log.read_bytes()
        return log.count(b'"method": "POST", "path": "/service/v1/likes",')

    def start(self) -> None:
        """Start all processes and wait until they are ready. The databases must be migrated."""
        start_all(self.processes)

    def stop(self) -> None:
        """Stop everything that runs."""
        stop_all(self.processes)

    def _web(self, name: str, package: str, port: int) -> Process:
        process = self._process(name, f"gunicorn -c gunicorn.conf.py -b {HOST}:{port} {package}:create_app()")
        process.ready = lambda: readiness.answers_ok(port, "/readyz")
        return process

    def _flower(self, addresses: Addresses) -> Process:
        port = addresses.flower_port
        kept = f"--persistent=true --db={self._folder / 'flower'}"
        process = self._process("Flower", f"celery -A tasks flower {kept} --address={HOST} --port={port}")
        process.ready = lambda: readiness.answers_ok(port, "/healthcheck")
        return process

    def _process(self, name: str, command: str, *arguments: str) -> Process:
        words = [*command.split(), *arguments]
        log = self._logs / f"{name.lower()}.log"
        return Process(name, words, log=log, env=self.env, cwd=ROOT, stop_within=STOP_WITHIN)
