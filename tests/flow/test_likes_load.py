"""Likes under load over the production servers. Small by default; the figures in the environment make it large.

LIKES_TOGGLES=500 LIKES_SHOPPERS=200 LIKES_PRODUCTS=20 LIKES_HOT=10000 \\
    pytest -s --timeout=1800 tests/flow/test_likes_load.py
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.flow.likes_traffic import (
    Click,
    Shopper,
    click_all,
    likes_at_admin,
    look,
    new_shoppers,
    on_the_way,
)
from tests.flow.running import Running, eventually
from tools.stack.process import Process

CLIENTS = 8
TOGGLES = int(os.environ.get("LIKES_TOGGLES", "60"))  # per client
SHOPPERS = int(os.environ.get("LIKES_SHOPPERS", "40"))
PRODUCTS = int(os.environ.get("LIKES_PRODUCTS", "6"))
HOT = int(os.environ.get("LIKES_HOT", "400"))  # shoppers who like one product
SEED = int(os.environ.get("LIKES_SEED", "5"))
SETTLED_WITHIN = 150  # seconds
AT_ONCE = 1.0  # seconds from the answer to the count (0.1 on a machine of its own); the sweep comes every ten

Model = set[tuple[int, str]]


def products(running: Running, number: int) -> list[int]:
    ids = [running.create() for _ in range(number)]
    for product in ids:
        eventually(lambda product=product: running.arrived(product))
    return ids


def toggles(shoppers: Sequence[Shopper], ids: Sequence[int]) -> tuple[list[list[Click]], Model]:
    """Return what each client clicks, and the set that must be left.

    A shopper and product belong to one client, whose clicks come one after the other, so that the end is known.
    """
    rng = random.Random(SEED)
    clicks: list[list[Click]] = [[] for _ in range(CLIENTS)]
    model: Model = set()
    for client in range(CLIENTS):
        mine = shoppers[client::CLIENTS]
        for _ in range(TOGGLES):
            click = Click(rng.choice(mine), rng.choice(ids), rng.random() < 0.6)
            clicks[client].append(click)
            key = (click.product, click.shopper.id)
            (model.add if click.liked else model.discard)(key)
    return clicks, model


def settled(running: Running, ids: Sequence[int], model: Model) -> Callable[[], bool]:
    return lambda: not on_the_way(running) and look(running, ids).equal(model, ids)


def test_likes_of_an_idle_shop_reach_admin_at_once(production: Running) -> None:
    (product,), shoppers = products(production, 1), new_shoppers(production, 9)
    took = []
    with likes_at_admin(production, product) as counted:
        for number, shopper in enumerate(shoppers, 1):
            time.sleep(0.7)  # idle: longer than any pause between two announcements
            click_all(production, [[Click(shopper, product, True)]])
            took.append(eventually(lambda n=number: counted() == n))
    took.sort()
    print(f"\na single like on Admin, ms: {', '.join(f'{seconds * 1000:.0f}' for seconds in took)}")
    assert took[len(took) // 2] < AT_ONCE, "single likes wait for the sweep"


def test_concurrent_toggles_end_in_the_same_set_and_counts_on_both_sides(production: Running) -> None:
    ids, shoppers = products(production, PRODUCTS), new_shoppers(production, SHOPPERS)
    clicks, model = toggles(shoppers, ids)
    calls, start = production.product.calls_with_likes(), time.monotonic()
    click_all(production, clicks)
    clicked = time.monotonic() - start
    after = eventually(settled(production, ids, model), within=SETTLED_WITHIN, what="equal sets and counts")
    calls = production.product.calls_with_likes() - calls
    print(f"\n{CLIENTS * TOGGLES} toggles in {clicked:.1f} s, settled {after:.1f} s later, {calls} calls to Admin")


def test_toggles_with_admin_down_and_workers_killed_end_in_the_same_set(production: Running) -> None:
    ids, shoppers = products(production, PRODUCTS), new_shoppers(production, SHOPPERS)
    clicks, model = toggles(shoppers, ids)
    third, admin = TOGGLES // 3, production.product.admin
    with ThreadPoolExecutor(1) as pool:
        # The processes are started by this thread: they end with the one that started them.
        clicking = pool.submit(click_all, production, [mine[:third] for mine in clicks])
        kill(production.product.worker, times=1)
        clicking.result()
        admin.kill()
        clicking = pool.submit(click_all, production, [mine[third : 2 * third] for mine in clicks])
        kill(production.product.worker, times=3)
        clicking.result()
        admin.start()
        admin.wait_ready()
        clicking = pool.submit(click_all, production, [mine[2 * third :] for mine in clicks])
        kill(production.product.worker, times=1)
        clicking.result()
    after = eventually(settled(production, ids, model), within=SETTLED_WITHIN, what="equal sets and counts")
    print(f"\nsettled {after:.1f} s after the last toggle; Admin was killed once, the worker 5 times")


def kill(process: Process, times: int) -> None:
    for _ in range(times):
        process.kill()
        process.start()
        process.wait_ready()


def test_hot_product_counts_every_shopper_once_with_few_calls(production: Running) -> None:
    (product,), shoppers = products(production, 1), new_shoppers(production, HOT)
    calls, start = production.product.calls_with_likes(), time.monotonic()
    click_all(production, [[Click(shopper, product, True) for shopper in shoppers[n::CLIENTS]] for n in range(CLIENTS)])
    clicked = time.monotonic() - start
    model = {(product, shopper.id) for shopper in shoppers}
    within = SETTLED_WITHIN + HOT / 25  # the stand-in writes one document at a time, to disk
    after = eventually(settled(production, [product], model), within=within, what="every like on both sides")
    calls = production.product.calls_with_likes() - calls
    print(f"\n{HOT} likes in {clicked:.1f} s, settled {after:.1f} s later, {calls} calls to Admin")
    assert 1 <= calls <= 100 + HOT / 100
