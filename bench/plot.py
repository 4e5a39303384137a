"""One picture of the ratios: bars on a logarithmic axis, as SVG written by hand.

Queries per CPU second of ocizone over those of each peer; the middle of a bar's end is the
median, the thin line goes from the least round to the most. Right of 1, ocizone is ahead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby

from bench.report import Ratio

Scale = Callable[[float], float]
WIDTH, LEFT, RIGHT = 760, 150, 110
FONT = 'font-family="sans-serif" font-size="12"'
BAR, GAP, HEAD, GROUP = 16, 6, 46, 30
COLOURS = {
    "Knot DNS": "#2f6f9f",
    "NSD": "#5b9bc8",
    "BIND": "#c2722e",
    "PowerDNS": "#dba44f",
    "CoreDNS": "#6a9a4f",
    "twisted.names": "#8a6fb0",
}


def svg(found: Sequence[Ratio], titles: dict[str, str], caption: str) -> str:
    """Return the picture.

    Args:
        found: ordered by workload.
        titles: of the workloads, by their letter.
        caption: below the title.
    """
    least = min([0.5, *(ratio.spread.least for ratio in found)])
    most = max([2.0, *(ratio.spread.most for ratio in found)])
    low, high = math.floor(math.log2(least)), math.ceil(math.log2(most))

    def across(value: float) -> float:
        return LEFT + (math.log2(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts: list[str] = []
    top = HEAD
    for key, group in groupby(found, lambda ratio: ratio.workload):
        parts.append(_text(8, top + 18, f"({key}) {titles.get(key, '')}", "bold"))
        top += GROUP
        for ratio in group:
            parts += _bar(ratio, top, across)
            top += BAR + GAP
    height = top + 34
    size = f'width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect {size} fill="#ffffff"/>',
        _text(8, 18, "Queries per server-CPU-second, ocizone / peer", "bold"),
        _text(8, 36, caption),
        *_axis(low, high, top, across),
        *parts,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(ratio: Ratio, top: int, across: Scale) -> Iterator[str]:
    spread = ratio.spread
    one, end = across(1.0), across(spread.median)
    middle = top + BAR / 2
    colour = COLOURS.get(ratio.peer, "#777777")
    yield _text(LEFT - 8, top + 12, ratio.peer, anchor="end")
    yield (
        f'<rect x="{min(one, end):.1f}" y="{top}" width="{abs(end - one):.1f}" height="{BAR}" '
        f'fill="{colour}"/>'
    )
    yield (
        f'<line x1="{across(spread.least):.1f}" x2="{across(spread.most):.1f}" y1="{middle}" '
        f'y2="{middle}" stroke="#222222"/>'
    )
    yield _text(max(one, across(spread.most)) + 6, top + 12, f"{spread.median:.2f}")


def _axis(low: int, high: int, bottom: int, across: Scale) -> Iterator[str]:
    for power in range(low, high + 1):
        x = across(2.0**power)
        colour = "#222222" if power == 0 else "#dddddd"
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD}" y2="{bottom}" stroke="{colour}"/>'
        yield _text(x, bottom + 18, f"{2.0**power:g}", anchor="middle")


def _text(x: float, y: float, text: str, weight: str = "normal", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
