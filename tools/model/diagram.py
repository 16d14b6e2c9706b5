"""Draws a counterexample as a sequence diagram, in SVG. ``python -m tools.model.diagram`` writes those of the docs."""

from html import escape
from pathlib import Path

from tools.model.searches import MUTANTS
from tools.model.spin import FOLDER, run

DOCS = FOLDER.parent / "docs" / "model"
PAGES = (
    "NO_VERSION_GUARD",
    "TOMBSTONES_REMOVED",
    "VERIFIED_WHEN_PUBLISHED",
    "MARKED_WITHOUT_SEQUENCE",
    "PUBLISHED_BEFORE_COMMIT",
    "REPAIRED_WITHOUT_COMPARING",
    "RESYNC_READS_COPY_AFTER_ADMIN",
    "EPOCH_NOT_RAISED",
    "COUNTED_UNDER_THE_LEASE_ALONE",
    "CLEARED_WITHOUT_REVISION",
)
_COLUMN, _ROW, _TOP = 270, 34, 60
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.head{font-weight:bold}line,path{stroke:#555}"
    ".life{stroke-dasharray:4 4;stroke:#aaa}.bad{fill:#b00020;font-weight:bold}"
)


def draw(story: list[str], title: str) -> str:
    """Return the diagram of ``story``, lines of ``sender>receiver: text``. Read from top to bottom."""
    messages = [_parts(line) for line in story if ">" in line]
    who = list(dict.fromkeys(name for sender, receiver, _text in messages for name in (sender, receiver)))
    x_of = {name: _COLUMN // 2 + _COLUMN * index for index, name in enumerate(who)}
    width, height = _COLUMN * len(who), _TOP + _ROW * (len(messages) + 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        '<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for name, x in x_of.items():
        lines.append(f'<text class="head" x="{x}" y="22" text-anchor="middle">{escape(name)}</text>')
        lines.append(f'<line class="life" x1="{x}" y1="30" x2="{x}" y2="{height - _ROW}"/>')
    lines += [_arrow(x_of, message, _TOP + _ROW * row) for row, message in enumerate(messages)]
    lines.append(f'<text class="bad" x="12" y="{height - 10}">{escape(title)}</text></svg>')
    return "\n".join(lines) + "\n"


def _arrow(x_of: dict[str, int], message: tuple[str, str, str], y: int) -> str:
    sender, receiver, text = message
    start, end = x_of[sender], x_of[receiver]
    middle = (start + end) // 2
    label = f'<text x="{middle}" y="{y - 6}" text-anchor="middle">{escape(text)}</text>'
    if start == end:
        return label + f'<circle cx="{start}" cy="{y}" r="3" fill="#555"/>'
    return label + f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#arrow)"/>'


def _parts(line: str) -> tuple[str, str, str]:
    sender, _, rest = line.partition(">")
    receiver, _, text = rest.partition(": ")
    return sender, receiver, text


def main() -> None:
    """Search the mutants of the docs' page and write their diagrams."""
    DOCS.mkdir(exist_ok=True)
    for mutant in MUTANTS:
        if mutant.name in PAGES:
            path: Path = DOCS / f"{mutant.name.lower().replace('_', '-')}.svg"
            path.write_text(draw(run(mutant).story, f"Without the guard: {mutant.tells}."), encoding="utf-8")


if __name__ == "__main__":
    main()
