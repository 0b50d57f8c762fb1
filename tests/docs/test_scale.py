"""docs/scale.md: its tables are what the measured rates give."""

from __future__ import annotations

from benchmarks import scale
from tests.support.paths import ROOT


def test_tables() -> None:
    text = (ROOT / "docs" / "scale.md").read_text()
    for name, rates in scale.Rates.measured().items():
        assert scale.table(name, rates) in text


def test_arithmetic() -> None:
    """A core makes 1,000 of 2 kB in a second; records are 100 bytes a sample, read at 1 MB/s."""
    rates = scale.Rates(1000, 2000, 100, 1e6, 1e9)
    found = scale.cost(10**6, rates)
    assert found["processor time"] == "17 min"
    assert found["made on 2 cores"] == "8 min"
    assert (found["shards"], found["bytes of a shard"]) == ("100", "20.0 MB")
    assert found["bytes of shards"] == "2.0 GB"
    assert (found["requests that write"], found["requests that read"]) == ("200", "200")
    assert found["records read at the end, one process"] == "100 s"
    # 200 MB are 12 parts, with a request before and one after, and the record.
    large = scale.cost(10**6, scale.Rates(1000, 20_000, 100, 1e6, 1e9))
    assert (large["requests that write"], large["requests that read"]) == ("1,500", "400")
