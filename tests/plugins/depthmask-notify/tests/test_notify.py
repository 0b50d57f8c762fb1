"""The hooks by themselves."""

from pathlib import Path

import depthmask_notify
import pytest

from depthmask import UsageError, virtual


def test_the_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(depthmask_notify.VARIABLE, str(tmp_path / "lines"))
    (tmp_path / "lines").write_text("one\ntwo\nthree\n")
    depthmask_notify.notified(["--last", "2"])
    assert capsys.readouterr().out == "two\nthree\n"


def test_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(depthmask_notify.VARIABLE, raising=False)
    with pytest.raises(UsageError, match="set DEPTHMASK_NOTIFY"):
        depthmask_notify.notified([])


def test_the_share_that_is_covered() -> None:
    sample = virtual(["source.rooms=1", "source.furniture=1", "size=[32,32]", "samples=1"])[0]
    assert 0 < depthmask_notify.covered(sample) < 1
    sample.mask[...] = 255
    assert depthmask_notify.covered(sample) == 1
