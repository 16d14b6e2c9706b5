"""A supervised process: start, readiness and each way to stop it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flow.running import eventually
from tools.stack import die_with_parent
from tools.stack.errors import StackError
from tools.stack.process import Process, ProcessFailedError

DEADLINE = 10  # seconds
# Says that it is ready, then waits; ends on SIGTERM like any other program.
WAITS = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS
WITH_CHILD = (
    "import subprocess, sys;"
    f"child = subprocess.Popen([sys.executable, '-c', {WAITS!r}], stdout=subprocess.DEVNULL);"
    "print(child.pid, flush=True);"
) + WAITS

Make = Callable[..., Process]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made = []

    def make(program: str, *, ready_within: float = DEADLINE, stop_within: float = DEADLINE) -> Process:
        process = Process(
            "thing",
            [sys.executable, "-c", program],
            log=tmp_path / "logs" / "thing.log",
            env=os.environ,
            cwd=tmp_path,
            ready_within=ready_within,
            stop_within=stop_within,
        )
        process.ready = lambda: process.said("ready")
        made.append(process)
        return process

    yield make
    for process in made:
        process.kill()


def started(process: Process) -> Process:
    process.start()
    process.wait_ready()
    return process


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_regular_stop_differs_from_a_kill(make: Make) -> None:
    process = started(make(WAITS))
    assert process.running
    process.stop()
    assert not process.running
    assert process.outcome == "was ended by SIGTERM"
    process.start()
    process.kill()
    assert process.outcome == "was ended by SIGKILL"


def test_process_that_does_not_stop_is_killed(make: Make) -> None:
    process = started(make(STUBBORN, stop_within=0.3))
    process.stop()
    assert process.outcome == "was ended by SIGKILL"


def test_paused_process_can_be_stopped(make: Make) -> None:
    process = started(make(WAITS))
    process.pause()
    process.stop()
    assert process.outcome == "was ended by SIGTERM"


def test_process_that_dies_at_start_is_explained_by_the_end_of_its_log(make: Make) -> None:
    process = make("import sys; print('before'); sys.exit('cannot open the shop')")
    process.start()
    with pytest.raises(ProcessFailedError, match=r"(?s)thing ended with exit code 1; its log, .*cannot open the shop"):
        process.wait_ready()


def test_process_that_is_not_ready_in_time_is_an_error(make: Make) -> None:
    process = make("import time; time.sleep(600)", ready_within=0.2)
    process.start()
    with pytest.raises(ProcessFailedError, match="was not ready within 0 s"):
        process.wait_ready()


def test_readiness_ignores_the_log_of_an_earlier_start(make: Make) -> None:
    process = started(make(WAITS))
    process.stop()
    process.command = (sys.executable, "-c", "import time; time.sleep(600)")
    process.start()
    assert not process.said("ready")


def test_children_end_with_their_process(make: Make) -> None:
    process = started(make(WITH_CHILD))
    child = int(process.log.read_text().split()[0])
    assert is_alive(child)
    process.stop()
    eventually(lambda: not is_alive(child))


def test_children_of_a_process_that_died_by_itself_end_at_the_next_start(make: Make) -> None:
    process = started(make(WITH_CHILD))
    child = int(process.log.read_text().split()[0])
    os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not process.running)
    assert is_alive(child)
    process.start()
    eventually(lambda: not is_alive(child))


def test_restart_gives_another_process(make: Make) -> None:
    process = started(make(WAITS))
    first = process.pid
    process.restart()
    assert process.running
    assert process.pid != first


def test_second_start_is_refused(make: Make) -> None:
    process = started(make(WAITS))
    with pytest.raises(StackError, match="is already running"):
        process.start()


def test_unknown_program_is_named(make: Make) -> None:
    process = make("")
    process.command = ("no-such-program",)
    process.start()
    with pytest.raises(ProcessFailedError, match="no-such-program: No such file or directory"):
        process.wait_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl, which only Linux has")
def test_command_ends_when_its_parent_is_killed() -> None:
    parent_program = (
        "import subprocess, time; from tools.stack import die_with_parent;"
        f"print(subprocess.Popen(die_with_parent.wrap([{sys.executable!r}, '-c', {WAITS!r}])).pid, flush=True);"
        "time.sleep(600)"
    )
    root = str(Path(die_with_parent.__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", parent_program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
    eventually(lambda: not is_alive(child))
