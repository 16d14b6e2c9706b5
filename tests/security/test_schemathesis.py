"""Both services against their own OpenAPI documents: schemathesis with every check on, signed in and anonymous.

Rate limits are off in these runs (tools/stack/product.py), or most answers would be 429; tests/unit/web/test_limits.py
has them. What is not taken as schemathesis has it stands in schemathesis.toml and schemathesis_hooks.py, with the
reasons.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.security.conftest import System

HERE = Path(__file__).parent
PER_SERVICE = 2_000
SIGNED_IN = ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "10")
NOBODY = ("--phases", "coverage,fuzzing", "--max-examples", "6")
RUN_SECONDS = 900  # of one run, on a busy machine
pytestmark = pytest.mark.timeout(2 * RUN_SECONDS + 60)  # two runs after another, two side by side
RUNS = {
    ("admin", "owner"): SIGNED_IN,
    ("client", "shopper"): SIGNED_IN,
    ("admin", "nobody"): NOBODY,
    ("client", "nobody"): NOBODY,
}


@pytest.fixture(scope="module")
def reports(system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str]]:
    """Schemathesis's exit code and what it printed, for each service and caller."""
    for number in range(3):  # something to read, to like and to change
        system.running.create(title=f"Product {number}")
    folder = tmp_path_factory.mktemp("schemathesis")  # for its findings
    with ThreadPoolExecutor(2) as pool:  # one per service
        found = pool.map(lambda run: _run(system, folder, *run, options=RUNS[run]), RUNS)
        return dict(zip(RUNS, found, strict=True))


@pytest.mark.parametrize(("service", "caller"), RUNS)
def test_every_check_passes_on_every_operation(
    reports: dict[tuple[str, str], tuple[int, str]], service: str, caller: str
) -> None:
    code, report = reports[service, caller]
    assert code == 0, report
    selected, total = re.findall(r"Operations: +(\d+) selected / (\d+) total", report)[0]
    assert selected == total


@pytest.mark.parametrize("service", ["admin", "client"])
def test_number_of_examples_is_sufficient(reports: dict[tuple[str, str], tuple[int, str]], service: str) -> None:
    counts = {run: int(re.findall(r"(\d+) generated", report)[0]) for run, (_code, report) in reports.items()}
    assert sum(count for (name, _caller), count in counts.items() if name == service) >= PER_SERVICE, counts


def _run(system: System, folder: Path, service: str, caller: str, options: tuple[str, ...]) -> tuple[int, str]:
    env = system.running.product.env
    staff = system.staff["owner"].ask("GET", "/api/v1/staff").json()["items"]
    url = system.admin_url if service == "admin" else system.client_url
    told = {
        "SCHEMATHESIS_HOOKS": "tests.security.schemathesis_hooks",
        "PYTHONPATH": str(HERE.parents[1]),
        "NO_PROXY": "*",
        "UNDER_TEST_SERVICE": service,
        "UNDER_TEST_BASE": url,
        "UNDER_TEST_EMAIL": "" if caller == "nobody" else f"{caller}@example.com",
        "UNDER_TEST_LAST_STAFF": str(max(one["id"] for one in staff)),
    }
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{url}/api/openapi.json", "--continue-on-failure", "--seed", "1", "--no-color", *options]
    done = subprocess.run(
        command, env={**env, **told}, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr
