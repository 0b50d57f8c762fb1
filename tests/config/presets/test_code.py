"""No config has Hydra run code: neither a file of a stranger nor a word names what is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose

from depthmask.cli.main import main
from depthmask.config.command_line import CommandLine
from depthmask.config.compose import compose_root
from depthmask.config.hydra_internals import hydra_initialized, no_code_of_configs
from depthmask.config.presets.code import CodeError
from depthmask.config.presets.source import YamlSource
from depthmask.errors import UsageError
from tests.support import tiny

GLOBAL = "# @package _global_\n"
NO_CODE = "a config chooses by registered names, and names no code; remove it"
UNUSED = "depthmask does not use this setting of Hydra; remove it"
BY_WORDS = "a file cannot set it; write it on the command line"
JOBLIB = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"

FILES = {
    "hydra:\n  callbacks:\n    x: {_target_: site.addsitedir}": (3, "callbacks", UNUSED),
    "hydra:\n  callbacks: {}": (3, "callbacks", UNUSED),
    "hydra:\n  job_logging:\n    handlers: {a: {'()': os.system}}": (3, "job_logging", UNUSED),
    "hydra:\n  job_logging:\n    handlers: {a: {class: os.x}}": (3, "job_logging", UNUSED),
    "hydra: {hydra_logging: {root: {level: INFO}}}": (2, "hydra_logging", UNUSED),
    "hydra: {output_subdir: ../../etc}": (2, "output_subdir", UNUSED),
    "hydra: {run: {dir: /etc}}": (2, "run", UNUSED),
    "hydra: {job: {env_set: {PYTHONPATH: /x}}}": (2, "job.env_set", BY_WORDS),
    "hydra: {searchpath: ['pkg://antigravity']}": (2, "searchpath", BY_WORDS),
    "hydra: {launcher: {setup: [rm]}}": (2, "launcher.setup", BY_WORDS),
    "hydra: {sweeper: {custom_search_space: a.b}}": (2, "sweeper.custom_search_space", BY_WORDS),
    "hydra: {launcher: {_target_: os.system}}": (2, "launcher._target_", NO_CODE),
    "hydra: {sweeper: {sampler: {_target_: os.x}}}": (2, "sweeper.sampler._target_", NO_CODE),
    "hydra: {sweeper: {storage: [{'()': os.x}]}}": (2, "sweeper.storage.0.()", NO_CODE),
    "x: &x\n  callbacks: {}\nhydra:\n  <<: *x": (3, "callbacks", UNUSED),
    "hydra: {sweeper: {params: {+hydra.callbacks.x: 1}}}": (2, "sweeper.params.+hydra.", UNUSED),
}


def load(folder: Path, text: str, path: str = "preset/nice.yaml") -> None:
    """Read a file as Hydra does."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)
    YamlSource("command-line", f"yaml://{folder}").load_config(path)


@pytest.mark.parametrize(("text", "expected"), FILES.items(), ids=[*FILES])
def test_a_file_that_names_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[int, str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line, name, reason = expected
    with pytest.raises(UsageError) as caught:
        load(tmp_path, f"{GLOBAL}{text}\n")
    assert str(caught.value).startswith(f"preset/nice.yaml:{line}: hydra.{name}")
    assert str(caught.value).endswith(reason)


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("preset/nice.yaml", "# @package hydra\ncallbacks: {}\n", "hydra.callbacks"),
        ("preset/nice.yaml", "# @package hydra.callbacks\nx: 1\n", "hydra.callbacks.x"),
        ("hydra/callbacks/nice.yaml", "x: 1\n", "hydra.callbacks.x"),
        ("hydra/job_logging/nice.yaml", "\nroot: 1\n", "hydra.job_logging.root"),
        ("placement/nice.yaml", "a: [{_target_: os.system}]\n", "placement.a.0._target_"),
        ("placement/nice.yaml", "a: {'()': os.system}\n", "placement.a.()"),
    ],
)
def test_a_file_in_any_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"^{path}:[12]: ") as caught:
        load(tmp_path, text, path)
    assert f": {name}: " in str(caught.value)


def test_registered_launchers_and_sweepers_are_chosen_and_set(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    files = (
        f"hydra:\n  launcher:\n    n_jobs: 2\n    _target_: {JOBLIB}\n",
        "hydra:\n  sweeper:\n    params:\n      seed: 1,2\n",
        "defaults:\n  - override /hydra/launcher: joblib\n",
    )
    for text in files:
        load(tmp_path, GLOBAL + text)


def composed(*words: str) -> None:
    """Compose a config as the command line does."""
    line = CommandLine.parse(words)
    with no_code_of_configs(line.overrides), hydra_initialized(line):
        compose(line.config_name, list(line.overrides), return_hydra_config=True)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("+hydra.callbacks.x._target_=os.system", "hydra.callbacks"),
        ("+hydra.callbacks.x=1", "hydra.callbacks"),
        ("hydra/job_logging=default", "hydra.job_logging"),
        ("hydra/hydra_logging=default", "hydra.hydra_logging"),
        ("hydra.output_subdir=x", "hydra.output_subdir"),
        ("hydra.job.chdir=true", "hydra.job.chdir"),
    ],
)
def test_words_that_name_code(words: str, name: str) -> None:
    with pytest.raises(CodeError, match=f"^{name}: {UNUSED}"):
        composed(*words.split())


def test_what_only_words_may_set() -> None:
    composed("+hydra.job.env_set.A=b", "hydra.launcher={}", "+hydra.launcher.setup=[x]")


SEARCHED = {
    "hydra: {callbacks: {x: {_target_: os.system}}}": "hydra.callbacks",
    "hydra: {callbacks: '${split}'}": "hydra.callbacks",
    "hydra: {job: {env_set: {PYTHONPATH: /x}}}": "hydra.job.env_set",
    "hydra: {run: {dir: /x}}": "hydra.run.dir",
    "defaults:\n  - /other@hydra.callbacks: code\n  - _self_": "hydra.callbacks",
}


@pytest.mark.parametrize(("text", "name"), SEARCHED.items())
def test_files_that_hydra_reads_by_itself(tmp_path: Path, text: str, name: str) -> None:
    for path, content in {"preset/nice": GLOBAL + text, "other/code": "x: {y: 1}"}.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / f"{path}.yaml").write_text(content)
    with pytest.raises(CodeError, match=f"^{name}: "):
        composed("+preset=nice", f"hydra.searchpath=[file://{tmp_path}]")


def write(folder: Path, text: str) -> Path:
    """A preset that would run the code in `a.pth`, which makes the file that is returned."""
    (folder / "preset").mkdir()
    (folder / "a.pth").write_text(f"import pathlib; pathlib.Path({str(folder)!r}, 'ran').touch()\n")
    (folder / "preset" / "nice.yaml").write_text(GLOBAL + text.replace("FOLDER", str(folder)))
    return folder / "ran"


CALLBACK = "hydra: {callbacks: {x: {_target_: site.addsitedir, sitedir: FOLDER}}}\n"
LOGGER = (
    "hydra:\n  job_logging:\n    version: 1\n    root: {level: INFO}\n"
    "    filters: {x: {'()': site.addsitedir, sitedir: FOLDER}}\n"
)
LAUNCHER = "hydra: {launcher: {x: {_target_: site.addsitedir, sitedir: FOLDER}}}\n"


@pytest.mark.parametrize("text", [CALLBACK, LOGGER, LAUNCHER])
@pytest.mark.parametrize("sweep", [[], ["-m", "seed=0,1"]])
@pytest.mark.parametrize("option", ["--config-dir=", "hydra.searchpath=[file://"])
def test_no_code_runs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    sweep: list[str],
    option: str,
) -> None:
    ran = write(tmp_path, text)
    folder = f"{option}{tmp_path}{']' if '[' in option else ''}"
    words = tiny.words(tiny.make_assets(tmp_path / "assets"), tmp_path / "out", "samples=1")
    code = main([*sweep, *words, "runner.workers=1", "+preset=nice", folder])
    assert not ran.exists()
    said = capsys.readouterr().err
    if code:
        assert "hydra.callbacks" in said or "job_logging" in said or "_target_" in said
    else:
        # No launcher is made where there is no sweep, and Hydra refuses other settings of it.
        assert (text, sweep) == (LAUNCHER, [])
        assert "[" in option


def test_a_preset_that_one_job_of_a_sweep_chooses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = write(tmp_path, LOGGER)
    (tmp_path / "preset" / "low.yaml").write_text(f"{GLOBAL}seed: 1\n")
    words = tiny.words(tiny.make_assets(tmp_path / "assets"), tmp_path / "out", "samples=1")
    search = f"hydra.searchpath=[file://{tmp_path}]"
    assert main(["-m", *words, "runner.workers=1", "+preset=low,nice", search]) != 0
    assert not ran.exists()
    assert "hydra.job_logging" in capsys.readouterr().err


def test_the_line_in_a_file_that_stands_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "defaults:\n  - /other@hydra.callbacks: code\n  - _self_\nseed: 1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "code.yaml").write_text("# Nice.\nx: {sitedir: /x}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["--config-dir=.", "+preset=nice", "depth=none", "output=o"]) == 2
    assert capsys.readouterr().err == f"error: other/code.yaml:2: hydra.callbacks: {UNUSED}\n"


def test_tags_of_yaml_make_no_objects(tmp_path: Path) -> None:
    (tmp_path / "preset").mkdir()
    for tag in ("!!python/object/apply:os.system", "!!python/name:os.system", "!call"):
        (tmp_path / "preset" / "nice.yaml").write_text(f"{GLOBAL}seed: {tag} [x]\n")
        with pytest.raises(UsageError, match=r"nice.yaml:2: the tag .* has no meaning here"):
            compose_root(["+preset=nice", "--config-dir", str(tmp_path)])
