"""The writes per second that Admin accepts, compared with the view without replication and with a bare view."""

from itertools import count

from tools.bench import clients
from tools.bench.bare import sql
from tools.bench.clients import Load
from tools.bench.figures import Figure, alternate, of_rounds, ratio
from tools.bench.run import Run

TITLE = "Admin accepts writes, 8 clients"
_PATH = "/api/v1/products"
_prefixes = (f"A{number}" for number in count())


def measure(run: Run) -> list[Figure]:
    """Alternate four services; the pipeline is paused except in the rounds with it running."""
    system, loads = run.system, list[Load]()
    rest = [process for process in system.product.processes if process is not system.product.admin]

    def rate(port: int, path: str = _PATH) -> float:
        prefix = next(_prefixes)
        loads.append(clients.run("creates", port, system.staff_token, run.sizes.seconds, path=path, prefix=prefix))
        return loads[-1].rate

    def paused(port: int, path: str = _PATH) -> float:
        run.settle()
        with system.paused(*rest):
            return rate(port, path)

    def running() -> float:
        run.settle()
        return rate(system.addresses.admin_port)

    with (
        sql.connection(system.engine),
        system.service("tools.bench.services:plain_admin()") as plain,
        system.service("tools.bench.services:bare_view()") as bare,
    ):
        for port in (plain, system.addresses.admin_port):
            paused(port)  # the first requests of a process are slow: not counted
        without, with_paused, with_running, view = alternate(
            run.sizes.rounds,
            lambda: paused(plain),
            lambda: paused(system.addresses.admin_port),
            running,
            lambda: paused(bare, "/products"),
        )
    return [
        ratio("pipeline paused ÷ without replication", with_paused, without, at_least=0.8),
        ratio("pipeline running ÷ without replication", with_running, without, at_least=0.55),
        of_rounds("pipeline paused", with_paused, "/s"),
        of_rounds("pipeline running", with_running, "/s"),
        of_rounds("the same view without replication", without, "/s"),
        of_rounds("bare Flask view, one insert", view, "/s"),
        of_rounds("CPU of the load itself", [load.cpu for load in loads], "cores"),
    ]
