"""Charts of a dataset: what is drawn with the texts of a stranger."""

from __future__ import annotations

from depthmask.reports.dataset.charts import histogram
from depthmask.reports.dataset.histogram import Histogram


def test_texts_that_svg_cannot_have() -> None:
    """At such a character the drawing library would end the process."""
    numbers = Histogram(1.0, 10.0)
    numbers.add([1.0, 2.0, 2.0])
    odd = "m\x1b\x00\uffff\ufffe\ud800"
    drawn = histogram(numbers, f"depth [{odd}]", odd)
    assert r"depth [m\x1b\x00??\ud800]" in drawn
