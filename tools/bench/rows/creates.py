"""What Admin's writes cost at eight clients: CPU time, and the rate compared with a bare Flask view."""

from dataclasses import dataclass
from itertools import count

from tools.bench import clients
from tools.bench.figures import Figure, alternate, of_rounds, ratio, total
from tools.bench.run import Run
from tools.bench.system import Service, per
from tools.bench.usage import cpu_seconds

TITLE = "Creates, 8 at once"
PATH = "/api/v1/products"
_prefixes = (f"C{number}" for number in count())


@dataclass(frozen=True, slots=True)
class Burst:
    """One round: creates per second, and the CPU milliseconds of a create by process."""

    rate: float
    cpu: dict[str, float]


def measure(run: Run) -> list[Figure]:
    """Alternate Admin and the bare view, each with one and with two web processes."""
    with (
        run.system.service("tools.bench.bare.views:admin()") as view,
        run.system.service("tools.bench.bare.views:admin()", processes=2) as two_views,
        run.system.service("admin:create_app()", processes=2) as two,
    ):
        _bare(run, view), _bare(run, two_views), _admin(run, two.port), _admin(run)  # not counted: first requests
        ours, bare, ours_by_two, bare_by_two = alternate(
            run.sizes.rounds,
            lambda: _admin(run),
            lambda: _bare(run, view),
            lambda: _admin(run, two.port),
            lambda: _bare(run, two_views),
        )
    rates, two_rates = [one.rate for one in ours], [one.rate for one in ours_by_two]
    bare_rates, two_bare_rates = [one.rate for one in bare], [one.rate for one in bare_by_two]
    admin, bare_cpu = [one.cpu["Admin"] for one in ours], [one.cpu["bare view"] for one in bare]
    return [
        of_rounds("Admin's CPU per create", admin, "ms", at_most=3.0),
        ratio("Admin's CPU per create ÷ the bare view's", admin, bare_cpu, "ms", at_most=2.5),
        ratio("creates accepted ÷ bare view", rates, bare_rates, "/s", at_least=0.5),
        ratio("two web processes ÷ bare view with one", two_rates, bare_rates, "/s", at_least=0.8),
        ratio("two web processes ÷ bare view with two", two_rates, two_bare_rates, "/s"),
        total("CPU of everything per create", [one.cpu for one in ours], "ms", bar="a create, 8 clients", at_most=5.0),
    ]


def _admin(run: Run, port: int | None = None) -> Burst:
    """Send creates until the time is up, then wait until all are verified; without ``port`` to the system's Admin."""
    run.settle()
    before = run.system.cpu()
    load = _load(run, port or run.system.addresses.admin_port, PATH)
    run.settle()
    return Burst(load.rate, per(load.count, before, run.system.cpu()))


def _bare(run: Run, view: Service) -> Burst:
    run.settle()
    before = cpu_seconds(view.pid)
    load = _load(run, view.port, "/products")
    return Burst(load.rate, {"bare view": 1000 * (cpu_seconds(view.pid) - before) / load.count})


def _load(run: Run, port: int, path: str) -> clients.Load:
    return clients.run("creates", port, run.system.staff_token, run.sizes.seconds, path=path, prefix=next(_prefixes))
