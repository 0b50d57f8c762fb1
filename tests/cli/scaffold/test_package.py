"""What `new-plugin` makes: its tests pass as made; a bad name makes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.cli.scaffold.package import new_package
from depthmask.config.registry import KINDS
from tests.support.plugins import install_package, run_with_plugins


def test_each_kind_passes_its_suite(tmp_path: Path) -> None:
    site = tmp_path / "site"
    packages = [new_package(kind, f"new_{kind}", tmp_path) for kind in KINDS]
    for package in packages:
        install_package(package, site)
    words = ("pytest", "-q", "--import-mode=importlib", "-Werror", *map(str, packages))
    done = run_with_plugins(site, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    summary = done.stdout.splitlines()[-1]
    assert int(summary.split(" passed")[0].split()[-1]) >= 8 * len(KINDS), summary


def test_prints_the_next_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-plugin", "placement", "my_thing", "--into", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert f"created {tmp_path}/depthmask-my-thing; next:" in text
    assert "python -m depthmask placement=my_thing" in text
    assert [path.name for path in tmp_path.iterdir()] == ["depthmask-my-thing"]
    assert (tmp_path / "depthmask-my-thing").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["placment", "mine"], "no such kind of stage; did you mean placement?"),
        (["placement", "my-thing"], "use small letters, digits and _"),
        (["placement", "../../mine"], "use small letters, digits and _"),
        (["placement", "lambda"], "use small letters, digits and _"),
        (["placement", "random"], "placement=random is taken by built-in"),
        (["geometry", "fastdepth"], "geometry=fastdepth is taken by built-in"),
        (["placement", "there"], "already exists; choose another name or --into FOLDER"),
    ],
)
def test_bad_names_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    (tmp_path / "depthmask-there").mkdir()
    assert main(["new-plugin", *words, "--into", str(tmp_path)]) == 2
    assert line in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["depthmask-there"]


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    into = str(tmp_path / "file")
    assert main(["new-plugin", "placement", "mine", "--into", into]) == 2
    assert "choose another --into FOLDER" in capsys.readouterr().err
