"""`depthmask plugins`: its options, and the presets of a folder and of plugins that it checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.cli.main import main
from tests.support.plugins import install_module, run_with_plugins

GLOBAL = "# @package _global_\n"
FILES = {
    "preset/good.yaml": f"{GLOBAL}# Seven samples.\nsamples: 7\n",
    "preset/bad.yaml": f"{GLOBAL}# Mistyped.\nsampels: 7\n",
    "preset/pairs.yaml": f"{GLOBAL}samples: 7\n",
    "preset/old.yml": f"{GLOBAL}samples: 7\n",
    "placement/mine.yaml": "defaults: [/schema/placement/grid@_here_, _self_]\nrows: many\n",
    # The user gives its root.
    "source/mine.yaml": "defaults: [/schema/source/assets@_here_, _self_]\n",
    "labels/mine.yaml": "# @package labels.coco\ndefaults: [/schema/labels/coco@_here_, _self_]\n",
    "whole.yaml": "defaults: [config, _self_]\nsamples: 7\n",
    "alone.yaml": f"{GLOBAL}samples: 7\n",
    "config.yaml": "samples: 7\n",
    ".hidden.yaml": "x: [\n",
    "notes/readme.txt": "nothing",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / "mydir" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mydir" / name).write_text(text)
    (tmp_path / "mydir" / "preset" / "latin.yaml").write_bytes("# größe".encode("latin-1"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
def test_presets_of_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--config-dir", "mydir"]) == 1
    _, _, text = capsys.readouterr().out.partition("\npresets of mydir:\n")
    listed, _, problems = text.partition("\npresets that cannot be used:\n")
    assert [line.split()[0] for line in listed.splitlines() if line] == [
        *("labels=mine", "placement=mine", "+preset=bad", "+preset=good", "+preset=latin"),
        *("+preset=pairs", "source=mine"),
    ]
    assert "  +preset=good  Seven samples.\n" in listed
    assert [line[:76] for line in problems.splitlines()] == [
        "  mydir/alone.yaml:1: for the settings of a run, begin it with `defaults: [c",
        "  mydir/config.yaml: not read, since depthmask has a config of this name; re",
        "  mydir/placement/mine.yaml:2: placement.rows=many: must be a whole number",
        "  mydir/preset/bad.yaml:3: sampels: no such setting; did you mean samples? A",
        "  mydir/preset/latin.yaml:1: not in UTF-8; save the file in this encoding",
        "  mydir/preset/old.yml: not read; rename it to old.yaml",
        "  mydir/preset/pairs.yaml: preset=pairs is taken by built-in; rename the fil",
    ]


def test_a_folder_that_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "good.yaml").write_text(FILES["preset/good.yaml"])
    assert main(["plugins", f"--config-dir={tmp_path}"]) == 0
    assert "presets that cannot be used" not in capsys.readouterr().out


@pytest.mark.parametrize("word", ["--nosuch", "placement=grid", "-x"])
def test_other_words(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", word]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {word}: plugins ")
    assert "usage: python -m depthmask plugins [--verbose] [--config-dir FOLDER]" in said


def test_presets_of_a_plugin(tmp_path: Path) -> None:
    code = "from depthmask import hookimpl\n@hookimpl\ndef depthmask_config_paths():\n"
    install_module(tmp_path, "mine", f"{code}    return ['pkg://mine_conf']\n")
    (tmp_path / "mine_conf" / "preset").mkdir(parents=True)
    (tmp_path / "mine_conf" / "__init__.py").touch()
    preset = tmp_path / "mine_conf" / "preset" / "mine.yaml"
    preset.write_text(f"{GLOBAL}placement:\n  min_scal: 1\n")
    line = "mine_conf/preset/mine.yaml:3: placement.min_scal: no such setting; did you mean place"
    assert f"error: {line}" in run_with_plugins(tmp_path, "depthmask", "+preset=mine").stderr
    done = run_with_plugins(tmp_path, "depthmask", "plugins", "-v")
    assert done.returncode == 1
    assert f"\npresets that cannot be used:\n  {line}" in done.stdout
    # The list alone starts without Hydra, so it checks nothing.
    assert run_with_plugins(tmp_path, "depthmask", "plugins").returncode == 0
