"""The report of the benchmark: the table of a document, JSON and the chart."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.bench import chart, report
from tools.bench.errors import BenchError
from tools.bench.figures import Figure
from tools.bench.report import BEGIN, END

RESULTS = {
    "creates": [
        Figure("CPU", 4.25, "ms", (4.0, 5.0), at_most=5.0, parts={"Admin": 3.0, "store": 1.25}, bar="a create"),
        Figure("rate", 1234.5, "/s", at_least=2000, note="one caller"),
    ],
    "idle": [Figure("CPU of everything", 0.5, "% of a core")],
}


def test_the_table_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    report.put_into(document, RESULTS, "toy")
    before, _, rest = document.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    assert (before, after) == ("before\n", "\nafter\n")
    assert "old" not in table
    assert "\n| **Creates, 8 at once** | CPU | 4.25 ms | 4 … 5 | ≤ 5 | met | Admin 3, store 1.25 |\n" in table
    assert "\n|  | rate | 1,234 /s |  | ≥ 2000 | missed | one caller |\n" in table
    assert "\n| **Idle system** | CPU of everything | 0.5 % of a core |  |  |  |  |\n" in table


@pytest.mark.parametrize("text", ["", "no markers", f"{BEGIN} only", f"{END}\n{BEGIN}"])
def test_a_document_without_both_markers_is_refused_and_stays_as_it_was(tmp_path: Path, text: str) -> None:
    document = tmp_path / "page.md"
    document.write_text(text)
    with pytest.raises(BenchError, match=r"page\.md has no lines"):
        report.put_into(document, RESULTS, "toy")
    assert document.read_text() == text


def test_a_missing_document_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="has no lines"):
        report.check(tmp_path / "missing.md")


def test_json_has_each_figure_with_its_parts_and_whether_its_goal_was_met() -> None:
    written = json.loads(json.dumps(report.as_json(RESULTS, "toy"), allow_nan=False))
    cpu, rate = written["rows"]["creates"]["figures"]
    assert (cpu["met"], cpu["parts"]) == (True, {"Admin": 3.0, "store": 1.25})
    assert rate["met"] is False
    assert written["size"] == "toy"


def test_the_chart_has_a_bar_whose_parts_are_as_long_as_their_shares() -> None:
    svg = "{http://www.w3.org/2000/svg}"
    bars = report.bars(RESULTS)
    assert bars == {"a create": {"Admin": 3.0, "store": 1.25}}
    root = ElementTree.fromstring(chart.draw(bars | {"<a like>": {"store": 8.5}}))  # noqa: S314 - our own text
    parts = {part[0].text: float(part.attrib["width"]) for part in root.iter(f"{svg}rect") if len(part)}
    assert parts["Admin 3 ms"] == pytest.approx(parts["store 1.25 ms"] * 3 / 1.25, abs=0.5)
    assert parts["store 8.5 ms"] == max(parts.values())
    assert {"<a like>", "a create", "4.25 ms"} <= {text.text for text in root.iter(f"{svg}text")}
