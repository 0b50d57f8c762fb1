"""Draws charts as SVG with Vega-Lite: https://vega.github.io/vega-lite/.

The charts name every bar and axis for screen readers, take their colours from the style sheet of
the page, and have the same bytes every time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from depthmask.data import Size
from depthmask.errors import UsageError
from depthmask.reports.dataset.census import REACH, Census
from depthmask.reports.dataset.histogram import Histogram
from depthmask.untrusted import visible

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""The name that Vega-Lite requires; nothing is loaded from it."""
_WIDTH, _HEIGHT = 400, 180
_MAP_SIZE = 330
_NO_CHARACTERS = {ord(char): "?" for char in "\ufffe\uffff"}
"""What XML, and so SVG, cannot have, besides what `visible` replaces."""
_LEAST_BARS = 10
"""The axis has space for at least this many bars, so that a single bar does not fill the chart."""
_CELL_GROUPS = ((1, 40_000), (2, 4_000), (4, 400), (8, 0))
"""(cells merged in each direction, least number of boxes); the canvas has 40, 20, 10 or 5 cells."""
_CONFIG = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {"grid": False, "labelFlush": False, "titleFontWeight": "normal", "tickSize": 4},
}


def require_vega() -> None:
    """Raise UsageError if the drawing library is not installed; call before any work."""
    try:
        import vl_convert  # noqa: F401
    except ImportError:
        raise UsageError(
            "report: charts need vl-convert-python; pip install 'depthmask[report]'"
        ) from None


def histogram(numbers: Histogram, title: str, unit: str = "", *, percent: bool = False) -> Markup:
    """A chart with a bar for each range of values. percent: show values of 0..1 in per cent."""
    title, unit = _drawable(title), _drawable(unit)
    bars, total, factor = numbers.bars(), numbers.total, 100 if percent else 1
    step = bars[0].stop - bars[0].start
    digits = _digits(step * factor)
    margin = max(0, _LEAST_BARS - len(bars)) / 2 * step
    domain = [factor * max(numbers.low, bars[0].start - margin), factor * (bars[-1].stop + margin)]
    values = [
        {
            "start": bar.start * factor,
            "stop": bar.stop * factor,
            "share": bar.count / total,
            "text": f"{bar.start * factor:.{digits}f} to {bar.stop * factor:.{digits}f}{unit}: "
            f"{_share(bar.count / total)}",
        }
        for bar in bars
    ]
    x = {"field": "start", "type": "quantitative", "bin": {"binned": True}, "title": title}
    y = {"field": "share", "type": "quantitative", "title": None}
    return _svg(
        {
            "width": _WIDTH,
            "height": _HEIGHT,
            "data": {"values": values},
            "mark": {"type": "bar", "binSpacing": 1},
            "encoding": {
                "x": {**x, "axis": {"tickCount": 8}, "scale": {"domain": domain, "nice": False}},
                "x2": {"field": "stop"},
                "y": {**y, "axis": {"format": "%", "tickCount": 4, "grid": True}},
                "description": {"field": "text"},
            },
        }
    )


def placement_map(census: Census, size: Size) -> Markup:
    """A map of the box centres, and the outline of the canvas."""
    height, width = size
    counts = _merged(census.placement)
    rows, columns = counts.nonzero()
    tall, wide = (side * (1 + 2 * REACH) / len(counts) for side in size)
    cells = [
        {
            "top": row * tall - REACH * height,
            "bottom": (row + 1) * tall - REACH * height,
            "left": column * wide - REACH * width,
            "right": (column + 1) * wide - REACH * width,
            "count": int(counts[row, column]),
        }
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    canvas = {"top": 0, "bottom": height, "left": 0, "right": width}
    edges = {name: [canvas[name], *(cell[name] for cell in cells)] for name in canvas}
    x_domain = [min(edges["left"]), max(edges["right"])]
    y_domain = [max(edges["bottom"]), min(edges["top"])]
    scale = _MAP_SIZE / max(x_domain[1] - x_domain[0], y_domain[0] - y_domain[1])
    axis = {"tickCount": 6, "format": "d"}
    x = {"type": "quantitative", "scale": {"domain": x_domain, "nice": False, "zero": False}}
    y = {"type": "quantitative", "scale": {"domain": y_domain, "nice": False, "zero": False}}
    outline = {
        "x": {"field": "left", **x, "title": "column [pixels]", "axis": axis},
        "x2": {"field": "right"},
        "y": {"field": "top", **y, "title": "row [pixels]", "axis": axis},
        "y2": {"field": "bottom"},
    }
    shade = {"field": "count", "type": "quantitative", "scale": {"domainMin": 0, "range": [0, 1]}}
    return _svg(
        {
            "width": round((x_domain[1] - x_domain[0]) * scale),
            "height": round((y_domain[0] - y_domain[1]) * scale),
            "layer": [
                {
                    "data": {"values": cells},
                    # Hidden from screen readers: the caption describes the thousands of cells.
                    "mark": {"type": "rect", "aria": False},
                    "encoding": {**outline, "fillOpacity": {**shade, "legend": None}},
                },
                {
                    "data": {"values": [canvas]},
                    "mark": {"type": "rect", "filled": False, "aria": False},
                    "encoding": outline,
                },
            ],
        }
    )


def _merged(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The counts in larger cells if there are few boxes, so that the map shows no noise."""
    group = next(group for group, least in _CELL_GROUPS if counts.sum() >= least)
    side = len(counts) // group
    return counts.reshape(side, group, side, group).sum(axis=(1, 3))


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 or share == 0 else "less than 0.1%"


def _digits(step: float) -> int:
    """The number of decimals that tell multiples of `step` apart, 12 at most."""
    fitting = (digits for digits in range(12) if abs(round(step, digits) - step) < step / 1000)
    return next(fitting, 12)


def _drawable(text: str) -> str:
    """The text without characters at which the drawing library ends the process."""
    return visible(text).translate(_NO_CHARACTERS)


def _svg(spec: dict[str, Any]) -> Markup:
    import vl_convert

    # Markup, since Vega has escaped the texts in the SVG.
    return Markup(vl_convert.vegalite_to_svg({"$schema": _SCHEMA, "config": _CONFIG, **spec}))
