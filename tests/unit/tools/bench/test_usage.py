"""CPU time and memory as the kernel accounts them."""

import os
import signal
import subprocess
import sys
import time

from tools.bench.usage import cpu_seconds, family, own_pss_mb, peak_mb, pss_mb

BURNS = """import subprocess, sys, time
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
print("done", flush=True)
time.sleep(60)"""
WAITS = """import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; x = bytearray(40_000_000); time.sleep(60)"])"""


def test_the_cpu_time_of_a_process_includes_its_ended_children() -> None:
    with subprocess.Popen([sys.executable, "-c", BURNS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        try:
            parent.stdout.readline()
            assert 0.3 <= cpu_seconds(parent.pid) < 5
        finally:
            parent.kill()


def test_a_living_child_counts_as_family_and_its_memory_is_added() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS]) as parent:
        try:
            deadline = time.monotonic() + 20
            while pss_mb(parent.pid) < 40 and time.monotonic() < deadline:
                time.sleep(0.02)
            assert len(family(parent.pid)) == 2
            assert pss_mb(parent.pid) >= 40 > own_pss_mb(parent.pid) > 1
            assert peak_mb(parent.pid) > 1
        finally:
            for pid in reversed(family(parent.pid)):
                os.kill(pid, signal.SIGKILL)


def test_a_process_that_ended_has_used_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert cpu_seconds(ended.pid) == 0
    assert pss_mb(ended.pid) == 0
