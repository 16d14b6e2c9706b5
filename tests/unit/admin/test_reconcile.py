"""Reconciliation on SQLite and in memory: what is compared and how it is shown."""

import json
from decimal import Decimal

import pytest
from flask import Flask

from admin.catalogue import service
from admin.catalogue.ids import reserve_ids
from admin.cli.diff_report import Report
from admin.reconcile import own_state
from admin.reconcile.compare import MISSING, ORPHANED, Difference
from contract.digests import Entry

CONTENT = {"title": "Mug", "description": "", "currency": "EUR", "category": "Kitchen", "image_url": ""}
HELD = Entry(7, 2, "c" * 32)
ORPHAN = Difference(7, ORPHANED, "", None, HELD, False)
LOST = Difference(8, MISSING, "MUG-8", Entry(8, 3, ""), None, False)


def create(sku: str) -> int:
    return service.create_product({**CONTENT, "sku": sku, "price": Decimal("1.00")}, "tester").id


def test_new_ids_are_above_those_of_the_client(app: Flask) -> None:
    with app.app_context():
        first = create("A")
        reserve_ids(500)
        assert create("B") == 501
        reserve_ids(100)
        reserve_ids(501)
        assert (create("C"), first) == (502, 1)
        assert own_state.live() == 3


def test_catalogue_is_streamed_by_id_with_deleted_products(app: Flask) -> None:
    with app.app_context():
        ids = [create(f"SKU-{number}") for number in range(5)]
        service.delete_product(ids[1], service.ANY_VERSION, "tester")
        streamed = [own.entry for own in own_state.stream(ids[0], ids[3])]
        assert [(entry.id, entry.sequence, entry.checksum == "") for entry in streamed] == [
            (ids[1], 2, True),
            (ids[2], 1, False),
            (ids[3], 1, False),
        ]
        assert {own.pending for own in own_state.stream(0, 100)} == {True}
        assert (own_state.highest_id(), own_state.live()) == (ids[-1], 4)


def test_repair_that_removes_a_product_from_the_shop_is_a_deletion() -> None:
    assert ORPHAN.deletes
    assert not LOST.deletes
    assert Difference(7, "differing", "", Entry(7, 2, ""), HELD, False).deletes


def test_report_as_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    Report(as_json=True).end(pending=4)
    assert json.loads(capsys.readouterr().out) == {"drift": [], "pending": 4, "left": 0}
    report = Report(as_json=True)
    report.add(ORPHAN, repaired=True)
    report.add(LOST, repaired=False)
    report.end(pending=0)
    shown = json.loads(capsys.readouterr().out)
    assert [(item["id"], item["kind"], item["repaired"]) for item in shown["drift"]] == [
        (7, "orphaned", True),
        (8, "missing", False),
    ]
    assert shown["drift"][1]["admin"]["deleted"] is True
    assert (shown["left"], report.left) == (1, 1)


def test_report_for_people_says_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(as_json=False)
    report.add(ORPHAN, repaired=True)
    report.add(LOST, repaired=False)
    report.end(pending=2)
    shown = capsys.readouterr()
    assert "v3 deleted" in shown.out
    assert "NOT repaired" in shown.out
    assert "2 products out of sync; 1 repaired" in shown.err
    assert "2 more differ and are pending" in shown.err
