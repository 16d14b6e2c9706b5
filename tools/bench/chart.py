"""Draw the CPU time of each process as stacked bars in an SVG, without a library."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from tools.bench.figures import number

_WIDTH, _LEFT, _PLOT, _ROW, _TOP = 860, 250, 520, 34, 70
_COLOURS = ("#0b6e99", "#c4532d", "#5b8c2a", "#8a4fb0", "#b58900", "#3f6f6f", "#a03060", "#777777", "#2f4f9f")


def draw(bars: Mapping[str, Mapping[str, float]]) -> str:
    """Return an SVG with a bar of milliseconds for each of ``bars``, which maps its processes to their shares."""
    names = list(dict.fromkeys(name for parts in bars.values() for name in parts))
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}
    longest = max(sum(parts.values()) for parts in bars.values())
    height = _TOP + _ROW * len(bars) + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
            'font-size="12"><rect width="100%" height="100%" fill="white"/>',
            '<text x="10" y="20" font-size="14">CPU time by process, in ms</text>',
            *_legend(colours),
            *(line for place, bar in enumerate(bars.items()) for line in _bar(place, *bar, colours, _PLOT / longest)),
            "</svg>\n",
        ]
    )


def _legend(colours: Mapping[str, str]) -> Iterator[str]:
    step = (_WIDTH - 20) / len(colours)
    for place, (name, colour) in enumerate(colours.items()):
        x = 10 + step * place
        yield f'<rect x="{x:.0f}" y="34" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 14:.0f}" y="43">{escape(name)}</text>'


def _bar(place: int, name: str, parts: Mapping[str, float], colours: Mapping[str, str], scale: float) -> Iterable[str]:
    y, x = _TOP + _ROW * place, float(_LEFT)
    yield f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
    for process, value in parts.items():
        title = f"<title>{escape(process)} {number(value)} ms</title>"
        size = f'width="{value * scale:.1f}" height="22"'
        yield f'<rect x="{x:.1f}" y="{y}" {size} fill="{colours[process]}">{title}</rect>'
        x += value * scale
    yield f'<text x="{x + 6:.1f}" y="{y + 16}">{number(sum(parts.values()))} ms</text>'
