"""The folders of presets that a plugin names: they exist, or that is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from depthmask.config.presets.folders import folders_of
from depthmask.errors import UsageError
from tests.support.plugins import install_module, registry_of

FORMS = "write pkg://PACKAGE.FOLDER, or file:// and an absolute path"


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "presets_here" / "conf").mkdir(parents=True)
    (tmp_path / "presets_here" / "__init__.py").touch()
    folder = tmp_path / "presets_here" / "conf"
    for path in ("pkg://presets_here.conf", "pkg://presets_here/conf/", f"file://{folder}"):
        assert folders_of(path) == [folder]
    assert folders_of(str(folder)) == [folder]
    del sys.modules["presets_here"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("pkg://nosuch_package", "there is no package nosuch_package"),
        ("pkg://nosuch_package.conf", "there is no package nosuch_package.conf"),
        ("pkg://depthmask.nosuch", "there is no package depthmask.nosuch"),
        ("pkg://depthmask.errors.conf", "there is no package depthmask.errors.conf"),
        ("pkg://", "there is no package "),
        ("pkg://depthmask.errors", f"depthmask.errors is a module and no folder; {FORMS}"),
        ("file:///nosuch/conf", "there is no such folder"),
        ("file://conf", f"the path is relative; {FORMS}"),
        ("conf", f"the path is relative; {FORMS}"),
        ("", f"the path is relative; {FORMS}"),
        ("https://localhost/conf", f"the scheme https:// is unknown; {FORMS}"),
    ],
)
def test_folders_that_do_not_exist(path: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        folders_of(path)
    assert str(error.value) == said


def test_the_rest_of_the_plugin_works(tmp_path: Path) -> None:
    code = (
        "import depthmask\n"
        "@depthmask.stage('mine')\n"
        "class Mine(depthmask.Blend):\n"
        "    '''Nothing.'''\n"
        "    def blend(self, canvas, patch, top, left): return True\n"
        "@depthmask.hookimpl\n"
        "def depthmask_config_paths(): return ['pkg://mine.conf', 'file://{}']\n"
    )
    install_module(tmp_path, "mine", code.format(tmp_path))
    with registry_of(tmp_path) as known:
        assert [str(problem) for problem in known.problems] == [
            "the folder pkg://mine.conf of plugin mine (mine 1.2) is left out: there is no package "
            "mine.conf"
        ]
        assert [one.path for one in known.config_paths] == [f"file://{tmp_path}"]
        assert "mine" in known.stages["blend"]
