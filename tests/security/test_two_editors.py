"""Two editors who read the same version and save at the same moment: one save succeeds, the other is refused."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import requests

from tests.security.callers import TIMEOUT
from tests.security.conftest import System

ROUNDS = 50


def test_one_of_two_saves_with_the_same_etag_succeeds_and_no_update_is_lost(system: System) -> None:
    product_id = system.running.create()
    url = f"{system.admin_url}/api/v1/products/{product_id}"
    start = Barrier(2)

    def save(role: str, number: int, etag: str) -> tuple[int, str]:
        title = f"{role} {number}"
        headers = {"Authorization": f"Bearer {system.tokens[role]}", "If-Match": etag}
        start.wait(TIMEOUT)
        return requests.patch(url, json={"title": title}, headers=headers, timeout=TIMEOUT).status_code, title

    outcomes, titles = [], []
    with ThreadPoolExecutor(2) as editors:
        for number in range(ROUNDS):
            etag = system.staff["owner"].ask("GET", f"/api/v1/products/{product_id}").headers["ETag"]
            both = [editors.submit(save, role, number, etag) for role in ("editor", "owner")]
            results = dict(future.result() for future in both)
            outcomes.append(sorted(results))
            titles.append(results[200])
            assert system.staff["owner"].get(product_id)["title"] == results[200]
    assert outcomes == [[200, 412]] * ROUNDS
    history = system.staff["owner"].ask("GET", f"/api/v1/products/{product_id}/replication", params={"limit": 100})
    versions = history.json()["versions"]
    assert len(versions) == ROUNDS + 1  # each save exists, none was overwritten
    assert len(set(titles)) == ROUNDS
