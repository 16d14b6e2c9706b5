"""Sequence diagrams of counterexamples."""

from xml.etree.ElementTree import fromstring

from tools.model import diagram
from tools.model.searches import MUTANTS


def test_diagram_has_a_line_for_each_process_and_an_arrow_for_each_message() -> None:
    story = [
        "Worker 1>Client store: write a < b",
        "Client store>Worker 1: done",
        "Worker 1>Worker 1: killed",
        "for ever",
    ]
    svg = fromstring(diagram.draw(story, "Title"))  # noqa: S314 - our own drawing
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Worker 1", "Client store", "write a < b", "done", "killed", "Title"]
    lines = list(svg.iter("{http://www.w3.org/2000/svg}line"))
    assert len(lines) == 2 + 2  # two lifelines, two arrows


def test_page_shows_each_diagram() -> None:
    page = (diagram.DOCS.parent / "what-goes-wrong.md").read_text(encoding="utf-8")
    drawn = {path.name for path in diagram.DOCS.glob("*.svg")}
    assert drawn == {f"{name.lower().replace('_', '-')}.svg" for name in diagram.PAGES}
    assert all(f"(model/{name})" in page for name in drawn)
    assert set(diagram.PAGES) <= {mutant.name for mutant in MUTANTS}
