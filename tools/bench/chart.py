"""Draw cost against size of the catalogue as an SVG, without a library."""

import math
from collections.abc import Iterator, Mapping
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 860, 420, 60, 40, 50
_PLOT = 470  # pixels wide; the names are to the right
_COLOURS = ("#0b6e99", "#c4532d", "#5b8c2a", "#8a4fb0", "#b58900", "#3f6f6f", "#a03060", "#555555")
_LOWEST, _HIGHEST = 0.5, 32.0


def draw(curves: Mapping[str, Mapping[int, float]]) -> str:
    """Return an SVG of each curve's cost, by products, relative to its own smallest catalogue; both axes are
    logarithmic.
    """
    sizes = sorted({size for curve in curves.values() for size in curve})
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
            'font-size="12"><rect width="100%" height="100%" fill="white"/>',
            f'<text x="{_LEFT}" y="20" font-size="14">Cost relative to the smallest catalogue, by products</text>',
            *_grid(sizes),
            *_lines(curves, sizes),
            "</svg>\n",
        ]
    )


def _grid(sizes: list[int]) -> Iterator[str]:
    for size in sizes:
        x = _x(size, sizes)
        yield f'<text x="{x:.0f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{size:,}</text>'
        yield f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="#ddd"/>'
    for power in range(-1, 6):
        y = _y(2.0**power)
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{2.0**power:g} ×</text>'
        yield f'<line x1="{_LEFT}" x2="{_LEFT + _PLOT}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>'


def _lines(curves: Mapping[str, Mapping[int, float]], sizes: list[int]) -> Iterator[str]:
    for number, (name, curve) in enumerate(curves.items()):
        colour, first = _COLOURS[number % len(_COLOURS)], curve[min(curve)]
        points = " ".join(f"{_x(size, sizes):.0f},{_y(curve[size] / first):.1f}" for size in sorted(curve))
        dash = ' stroke-dasharray="5 3"' if number >= len(_COLOURS) else ""
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        at = f'x="{_LEFT + _PLOT + 16}" y="{_TOP + 10 + 20 * number}"'
        yield f'<text {at} fill="{colour}">{"┄" if dash else "━"} {escape(name)}</text>'


def _x(size: int, sizes: list[int]) -> float:
    span = math.log(sizes[-1] / sizes[0]) or 1
    return _LEFT + _PLOT * math.log(size / sizes[0]) / span


def _y(cost: float) -> float:
    share = math.log(min(max(cost, _LOWEST), _HIGHEST) / _LOWEST) / math.log(_HIGHEST / _LOWEST)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
