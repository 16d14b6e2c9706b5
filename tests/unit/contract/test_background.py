import threading
import time

from contract.background import Background
from contract.publisher import PublishError


def wait_for(event: threading.Event) -> None:
    assert event.wait(5), "it did not happen within 5 s"


def test_queued_items_are_sent_in_one_batch() -> None:
    batches: list[list[int]] = []
    first_sent, go_on, all_sent = threading.Event(), threading.Event(), threading.Event()

    def send(items: list[int]) -> None:
        batches.append(items)
        first_sent.set()
        if len(batches) == 1:
            wait_for(go_on)
        if sum(map(len, batches)) == 6:
            all_sent.set()

    background = Background("test", send, batch=100)
    background.offer([0])
    wait_for(first_sent)
    for number in range(1, 6):
        background.offer([number])
    go_on.set()
    wait_for(all_sent)
    assert batches == [[0], [1, 2, 3, 4, 5]]


def test_offer_never_blocks_while_nothing_is_sent() -> None:
    stuck, release = threading.Event(), threading.Event()

    def send(_items: list[int]) -> None:
        stuck.set()
        wait_for(release)

    background = Background("test", send, batch=1, capacity=3)
    background.offer([0])
    wait_for(stuck)
    began = time.monotonic()
    for number in range(1000):
        background.offer([number])
    assert time.monotonic() - began < 1
    release.set()


def test_failure_drops_the_batch_and_later_offers_are_sent() -> None:
    sent, failed = threading.Event(), threading.Event()

    def send(items: list[str]) -> None:
        if items == ["lost"]:
            failed.set()
            raise PublishError("no broker")
        sent.set()

    background = Background("test", send, batch=1)
    background.offer(["lost"])
    wait_for(failed)
    deadline = time.monotonic() + 10
    while not sent.wait(0.1):
        assert time.monotonic() < deadline
        background.offer(["kept"])
