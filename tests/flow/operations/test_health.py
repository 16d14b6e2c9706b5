"""``lockstep health`` and ``/readyz``: what a supervisor reads."""

import os
import time
from pathlib import Path

import pytest

from tests.flow.operations.operated import Operated, run
from tests.flow.running import eventually
from tools.stack.readiness import answers_ok
from tools.stack.servers.rabbitmq import RabbitMQ

WORKER = "worker@lockstep"


def test_running_relay_beat_and_worker_are_healthy(operated: Operated) -> None:
    schedule = str(operated.folder / "beat")
    eventually(lambda: operated.lockstep("health", "beat", "--schedule", schedule).returncode == 0)
    assert operated.lockstep("health", "relay", "--heartbeat", str(operated.heartbeat)).returncode == 0
    assert operated.lockstep("health", "worker", "--node", WORKER).returncode == 0


def test_beat_writes_its_schedule_soon_enough(operated: Operated) -> None:
    def written() -> float:
        return max((changed(path) for path in operated.folder.glob("beat*")), default=0.0)

    def changed(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except FileNotFoundError:  # while beat replaces it
            return 0.0

    before = written()
    eventually(lambda: written() > before, what="a newer schedule")


def test_paused_relay_is_found_by_the_age_of_its_heartbeat(operated: Operated) -> None:
    operated.product.relay.pause()
    try:
        command = ("health", "relay", "--heartbeat", str(operated.heartbeat), "--max-age", "2")
        eventually(lambda: time.time() - operated.heartbeat.stat().st_mtime > 2)
        done = operated.lockstep(*command)
        assert done.returncode == 1
        assert "has had no heartbeat for" in done.stderr
    finally:
        operated.product.relay.resume()


def test_process_that_never_ran_is_not_healthy(operated: Operated, tmp_path: Path) -> None:
    for who, option in (("relay", "--heartbeat"), ("beat", "--schedule")):
        done = operated.lockstep("health", who, option, str(tmp_path / "nothing"))
        assert (done.returncode, "has no heartbeat" in done.stderr) == (1, True)


def test_silent_worker_and_silent_broker_have_different_exit_codes(operated: Operated) -> None:
    absent = operated.lockstep("health", "worker", "--node", "nobody@lockstep", "--timeout", "1")
    nowhere = "amqp://lockstep:wrong@127.0.0.1:1//"
    broker_down = operated.lockstep("health", "worker", "--timeout", "2", CELERY_BROKER_URL=nowhere)
    assert (absent.returncode, broker_down.returncode) == (1, 4)


def test_broker_in_alarm_does_not_block_the_check_of_a_worker(operated: Operated, rabbitmq: RabbitMQ) -> None:
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        eventually(lambda: operated.lockstep("health", "worker", "--node", WORKER, "--timeout", "2").returncode == 1)
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.6")
    eventually(lambda: operated.lockstep("health", "worker", "--node", WORKER).returncode == 0)


def test_heartbeat_is_never_written_through_a_link(operated: Operated, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    os.utime(victim, (1, 1))
    (tmp_path / "heart").symlink_to(victim)
    relay = operated.product.new_relay("linked")
    relay.command = (*relay.command[:-1], str(tmp_path / "heart"))
    relay.start()
    try:
        eventually(lambda: relay.said("heartbeat not written"))
    finally:
        relay.stop()
    assert victim.stat().st_mtime == 1


@pytest.mark.parametrize("service", ["admin", "client"])
def test_web_services_are_ready_and_alive(operated: Operated, service: str) -> None:
    port = getattr(operated.product.addresses, f"{service}_port")
    assert answers_ok(port, "/livez")
    assert answers_ok(port, "/readyz")


def test_celery_ping_of_the_documentation_answers(operated: Operated) -> None:
    done = run(["celery", "-A", "tasks", "inspect", "ping"], dict(operated.product.env))
    assert "pong" in done.stdout
