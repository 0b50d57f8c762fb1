"""docs/performance.md: its tables, and what its benchmarks ask for and measure."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from benchmarks import asset_store, collection, encode_alone, rates, throughput
from tests.support.paths import SHARED


def test_the_tables_are_made_from_the_result(tmp_path: Path) -> None:
    """`python -m benchmarks.rates --table` would change nothing."""
    page = tmp_path / "page.md"
    page.write_text(rates.PAGE.read_text())
    result = json.loads(rates.RESULT.read_text())
    rates.write_tables(page, result)
    assert page.read_text() == rates.PAGE.read_text()
    assert [row["row"] for row in result["rows"]] == [row.name for row in rates.ROWS]


def test_the_table_of_the_asset_store(tmp_path: Path) -> None:
    rows: dict[str, dict[str, float]] = {
        "small files": {"first_start_s": 60.0, "second_start_s": 5.44, "nothing_left_s": 4.0}
    }
    for canvas in asset_store.RANGES:
        rows[f"pairs {canvas}"] = {"few": 1000.0, "many": 850.0, "ratio": 0.85}
        rows[f"filling {canvas}"] = {"ratio": 1.173, "second_start_s": 1.26, "nothing_left_s": 1.0}
        peaks = {f"photos_{count}": 0.75 for count in asset_store.MEMORY_PHOTOS}
        rows[f"memory {canvas}"] = {"memory_gb": 1, **peaks}
    page = tmp_path / "page.md"
    page.write_text(asset_store.PAGE.read_text())
    asset_store.write_table(page, {"rows": rows})
    text = page.read_text()
    for cell in ("85% of the rate", "1.17 times as long", "1.3 s; 1.0 s", "0.75, 0.75, 0.75 GiB"):
        assert f"| {cell} |" in text
    assert set(rows) | {"demo", "500 rooms"} == set(asset_store.ROWS)
    asset_store.write_table(page, {"rows": rows})
    assert page.read_text() == text


def test_the_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = SHARED / "tools" / "make_collection.py"
    if not tool.is_file():
        pytest.skip("shared/ is absent")
    counts = {"photos": 2, "large": 1, "cutouts": 2}
    for name, count in zip(("PHOTOS", "LARGE", "CUT_OUTS"), counts.values(), strict=True):
        monkeypatch.setattr(collection, name, count)
    made = collection.make_collection(SHARED / "seed-assets", tmp_path / "made")
    words = [word for name, count in counts.items() for word in (f"--{name}", str(count))]
    subprocess.run([sys.executable, str(tool), str(tmp_path / "like"), *words], check=True)
    files = {path.relative_to(made): path.read_bytes() for path in made.rglob("*.*")}
    assert len(files) == 5
    assert files == {path: (tmp_path / "like" / path).read_bytes() for path in files}


def test_the_encode_station_alone(assets_root: Path) -> None:
    words = ["source=assets", f"source.root={assets_root}", "size=[24,32]", "+preset=pairs"]
    encoder, batches = encode_alone.batches(words, 16)
    assert [len(batch) for batch in batches] == [8, 8]
    assert encode_alone.rate(encoder, cycle(batches), 0.05) > 10


def test_the_benchmark_says_which_folder_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bg").mkdir()
    (tmp_path / "fg").mkdir()
    with pytest.raises(SystemExit) as end:
        throughput.main(["--assets", str(tmp_path)])
    assert end.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith(
        f"--assets {tmp_path}: fg_mask/ is missing; "
        "`python -m depthmask prepare source.root=DIR output=PREPARED` makes all"
    )
