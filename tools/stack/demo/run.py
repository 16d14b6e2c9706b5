"""Run the demo: start everything, set it up, show changes arriving, and stay up until stopped."""

import csv
import signal
import time
from collections import deque

from tools.stack import commands
from tools.stack.api import ClientApi, eventually
from tools.stack.demo import accounts, main_job
from tools.stack.demo.options import Options
from tools.stack.demo.screen import Screen
from tools.stack.demo.state import State
from tools.stack.errors import StackError
from tools.stack.process import Process, stop_all
from tools.stack.product import FLOWER_USER, ROOT, Addresses, Product, Secrets, settings
from tools.stack.servers.secantus import Secantus
from tools.stack.servers.valkey import Valkey

CATALOGUE = ROOT / "tools" / "samples" / "catalogue.csv"
_WATCH_SECONDS = 0.5
_RESTARTS = 3  # more than these …
_WITHIN = 60  # … within these seconds end the demo
_READ_ONLY = {"READ_ONLY": "true", "FLOWER_READ_ONLY": "true"}
_STORED = ("admin_secret_key", "client_secret_key", "service_secret", "flower_password")


def run(options: Options, state: State, screen: Screen) -> int:
    """Run the demo in ``state`` and return its exit code. Stops every process that it started. Raises StackError."""
    with state.locked():
        options.check_ports()
        if options.fresh or not state.is_done("accounts"):
            # An earlier start that failed before has no data of the user, but may be incomplete: after a full disk
            # while its tables are created, SecantusDB lacks some of them permanently.
            state.clear()
        state.prepare()
        demo = Demo(options, state, screen)
        try:
            demo.start()
            demo.set_up()
            if not options.read_only:
                demo.show()
            if not options.once:
                demo.stay_up()
        except Exception:
            demo.report_dead()
            raise
        finally:
            demo.stop()
    return 0


class Demo:
    """All processes of one demo."""

    def __init__(self, options: Options, state: State, screen: Screen) -> None:
        self._state = state
        self._screen = screen
        secrets = state.secrets((*_STORED, "broker_password", accounts.ROBOT_SECRET, accounts.VIEWER_SECRET))
        self._viewer_password = secrets[accounts.VIEWER_SECRET] if options.read_only else None
        self._robot_password = secrets[accounts.ROBOT_SECRET]
        self._keys = Secrets(**{name: secrets[name] for name in _STORED})
        self._secantus = Secantus(state.data / "secantus", log=state.logs / "secantus.log")
        self._valkey = Valkey(state.data / "valkey", password=secrets["broker_password"], log=state.logs / "valkey.log")
        self._addresses = Addresses(
            database_url=f"sqlite:///{state.data / 'admin.db'}",
            mongodb_url=self._secantus.url("lockstep"),
            broker_url=self._valkey.url(),
            admin_port=options.admin_port,
            client_port=options.client_port,
            flower_port=options.flower_port,
        )
        changed = _READ_ONLY if options.read_only else {}
        self._product = Product(
            self._addresses, self._keys, folder=state.data, logs=state.logs, changed=changed, limited=True
        )
        self._new_accounts: list[accounts.Account] = []

    @property
    def _processes(self) -> tuple[Process, ...]:
        return (self._secantus, self._valkey, *self._product.processes)

    def start(self) -> None:
        """Start the servers, migrate, start Lockstep; print a line when each part is ready."""
        self._screen.heading("Starting")
        for server in (self._secantus, self._valkey):
            server.start()
        for server in (self._secantus, self._valkey):
            with self._screen.step(f"{server.name} on port {server.port}"):
                server.wait_ready()
        with self._screen.step("both databases migrated"):
            commands.migrate(self._product.env)
        for process in self._product.processes:
            process.start()
        for process in self._product.processes:
            with self._screen.step(process.name):
                process.wait_ready()
        self._state.write_env(settings(self._addresses, self._keys))

    def set_up(self) -> None:
        """Create the accounts and import the sample catalogue, on the first run."""
        if not self._state.is_done("accounts"):
            with self._screen.step("accounts for you and for the demo"):
                self._new_accounts = accounts.create(self._product, self._robot_password)
            self._state.mark_done("accounts")
            for line in accounts.describe(self._new_accounts):
                self._screen.line(line)
        if self._viewer_password:
            accounts.add_viewer(self._product, self._viewer_password)
        if not self._state.is_done("catalogue"):
            with self._screen.step("sample catalogue imported and visible at the Client"):
                self._import()
            self._state.mark_done("catalogue")

    def _import(self) -> None:
        commands.Command(["import", str(CATALOGUE)], self._product.env).finish()
        with CATALOGUE.open(encoding="utf-8", newline="") as file:
            expected = min(sum(1 for _ in csv.DictReader(file)), 50)
        client = ClientApi(self._addresses.client_url)
        eventually(lambda: len(client.list(limit=50)) >= expected, within=60, what="the catalogue at the Client")
        client.close()

    def show(self) -> None:
        """Show a product and a like arriving on the other side."""
        self._screen.heading("Demonstration")
        main_job.show(self._addresses, self._robot_password, self._screen)

    def stay_up(self) -> None:
        """Print the addresses, and restart ended processes until interrupted. Raises StackError after too many."""
        self._print_addresses()
        restarts: deque[float] = deque(maxlen=_RESTARTS + 1)
        while True:
            try:
                time.sleep(_WATCH_SECONDS)
                self._restart_dead(restarts)
            except KeyboardInterrupt:
                return

    def _restart_dead(self, restarts: deque[float]) -> None:
        for process in self._processes:
            if process.running:
                continue
            restarts.append(time.monotonic())
            self._screen.line(process.account(process.outcome))
            if len(restarts) > _RESTARTS and restarts[-1] - restarts[0] < _WITHIN:
                raise StackError(f"{len(restarts)} processes ended within {_WITHIN} s: stopping")
            with self._screen.step(f"{process.name} started again"):
                process.restart()

    def report_dead(self) -> None:
        """Print the processes that ended unexpectedly, as they may be the cause of a failure."""
        for process in self._processes:
            if process.started and not process.running:
                self._screen.line(process.account(process.outcome))

    def stop(self) -> None:
        """Stop every process of the demo."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt this
        with self._screen.step("everything stopped"):
            stop_all(self._product.processes)
            stop_all((self._valkey, self._secantus))
            self._state.env_file.unlink(missing_ok=True)

    def _print_addresses(self) -> None:
        self._screen.heading("Lockstep is up")
        self._screen.line(f"  Shop    {self._addresses.client_url}")
        self._screen.line(f"  Admin   {self._addresses.admin_url}")
        self._screen.line(f"  Flower  {self._addresses.flower_url}  {FLOWER_USER}  {self._keys.flower_password}")
        if self._viewer_password:
            self._screen.line("\n  This demo is read-only. To see the console, sign in with")
            self._screen.line(f"  {accounts.VIEWER}  {self._viewer_password}")
        elif not self._new_accounts:
            self._screen.line(accounts.REMINDER)
        self._screen.line(f"\n  In another terminal: . {self._state.env_file}")
        self._screen.line("  and then, for example: celery -A tasks inspect active")
        self._screen.line(f"\n  Logs are in {self._state.logs}. Ctrl-C stops everything; data and accounts remain.")
