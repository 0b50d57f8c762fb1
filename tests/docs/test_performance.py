"""docs/performance.md: what its benchmark asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import throughput


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
