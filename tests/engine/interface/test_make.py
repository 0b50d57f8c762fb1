"""`depthmask.make` and the functions beside it: what the command makes, and its errors."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.config.plugins import registry
from depthmask.reading.dataset import Dataset
from tests.engine.interface.conftest import SETTINGS, WORDS, content
from tests.support.displays import Shown

PACKAGES = {
    *("PIL", "deflate", "depthmask", "numpy", "orjson", "platformdirs", "pluggy", "simplejpeg"),
    "zlib_ng",
}
"""All that `import depthmask` loads: neither TensorFlow nor Hydra nor OpenCV."""
LOGGER = logging.getLogger("depthmask")


def test_the_dataset_is_that_of_the_command(by_command: Path, tmp_path: Path) -> None:
    for name, config in (("list", WORDS), ("mapping", SETTINGS), ("root", compose_root(WORDS))):
        dataset = depthmask.make(config, output=tmp_path / name, progress="none")
        assert content(tmp_path / name) == content(by_command)
        assert (len(dataset), str(dataset.path)) == (6, str(tmp_path / name))
        assert dataset[0].depth is not None


def test_the_same_call_resumes_and_more_samples_extend(by_command: Path, tmp_path: Path) -> None:
    depthmask.make({**SETTINGS, "samples": 2}, output=tmp_path / "out", progress="none")
    next((tmp_path / "out" / "shards").iterdir()).unlink()
    shown = Shown()
    dataset = depthmask.make(SETTINGS, output=tmp_path / "out", progress=shown)
    assert len(dataset) == 6
    assert content(tmp_path / "out")["shards"] == content(by_command)["shards"]
    assert depthmask.make(SETTINGS, output=tmp_path / "out", progress=shown).path == dataset.path
    assert any("nothing is left to do" in line for line in shown.lines)


def test_the_default_folder_is_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = {**SETTINGS, "samples": 2, "depth": "none", "writer": "npz"}
    dataset = depthmask.make(config, progress="none")
    assert main([*WORDS, "samples=2", "depth=none", "writer=npz", "progress=none"]) == 0
    assert capsys.readouterr().out == f"{dataset.path}\n"


def test_the_progress_is_shown_as_the_caller_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Shown()
    monkeypatch.setattr(registry(), "warnings", ["a plugin is odd"])
    depthmask.make(SETTINGS, output=tmp_path / "out", progress=shown)
    assert (shown.lines[0], shown.events[0]) == ("a plugin is odd", "warning")
    monkeypatch.undo()
    assert "samples 6 samples" in shown.lines
    assert sum(shown.done) == 6
    assert {"start", "done"} <= set(shown.events)
    assert "INFO depthmask.engine.run" in (tmp_path / "out" / "run.log").read_text()
    depthmask.make(SETTINGS, output=tmp_path / "out", progress="none")
    assert capsys.readouterr() == ("", "")
    depthmask.make({**SETTINGS, "progress": "json"}, output=tmp_path / "out")
    assert '{"event": "done"' in capsys.readouterr().err
    depthmask.make({**SETTINGS, "progress": "json"}, output=tmp_path / "out", progress="lines")
    assert capsys.readouterr().err.startswith("2 backgrounds")
    for progress in ("fast", None, 3, [depthmask]):
        with pytest.raises(depthmask.UsageError, match="must be one of auto, bar, lines, json, no"):
            depthmask.make(SETTINGS, output=tmp_path / "out", progress=progress)  # type: ignore[arg-type]


def test_logging_is_as_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = LOGGER.level, LOGGER.propagate, list(LOGGER.handlers)
    with caplog.at_level(logging.INFO, "depthmask"):
        depthmask.make({**SETTINGS, "samples": 2}, output=tmp_path / "out", progress="none")
        assert any(record.name.startswith("depthmask.engine") for record in caplog.records)
    caplog.clear()
    with pytest.raises(depthmask.DepthmaskError):
        depthmask.make({**SETTINGS, "samples": 1}, output=tmp_path / "out", progress="none")
    # The caller's handlers get what they would get without a run: nothing below a warning.
    depthmask.make({**SETTINGS, "samples": 4}, output=tmp_path / "out", progress="none")
    assert caplog.records == []
    assert (LOGGER.level, LOGGER.propagate, LOGGER.handlers) == before


def test_threads_make_datasets_at_the_same_time(by_command: Path, tmp_path: Path) -> None:
    """While the caller's thread makes one, too; the log of each is about itself."""
    outputs = [tmp_path / name for name in "abc"]

    def make(output: Path) -> None:
        workers = 2 if output.name == "c" else 1
        depthmask.make({**SETTINGS, "runner.workers": workers}, output=output, progress="none")

    threads = [threading.Thread(target=make, args=(output,)) for output in outputs[1:]]
    for thread in threads:
        thread.start()
    make(outputs[0])
    for thread in threads:
        thread.join()
    for output in outputs:
        assert content(output) == content(by_command)
        log = (output / "run.log").read_text()
        assert log.count("command: ") == 1
        assert log.count(": samples ") == 4
    assert LOGGER.handlers == []


def test_a_process_that_may_start_no_others(
    by_command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker of `multiprocessing.Pool`; without a number of workers, it makes all itself."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    make = functools.partial(depthmask.make, output=tmp_path / "out", progress="none")
    with pytest.raises(depthmask.UsageError, match=r"^runner.workers=2: .* set runner.workers=1"):
        make({**SETTINGS, "runner.workers": 2})
    make({**SETTINGS, "runner.workers": 0})
    assert content(tmp_path / "out") == content(by_command)


def test_inputs_are_annotated_and_converted(by_command: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    words = ["writer=npz", "shard_size=3"]
    converted = depthmask.convert(
        by_command, {"writer": "npz", "shard_size": 3}, output=outputs[0], progress="none"
    )
    assert main(["convert", str(by_command), *words, f"output={outputs[1]}", "progress=none"]) == 0
    assert content(outputs[0]) == content(outputs[1])
    assert str(converted.path) == str(outputs[0])
    annotated = depthmask.annotate(
        [str(by_command)], ["depth=layered"], output=tmp_path / "c",
        progress="none",
    )  # fmt: skip
    words = ["depth=layered", f"output={tmp_path / 'd'}", "progress=none"]
    assert main(["annotate", str(by_command), *words]) == 0
    assert content(tmp_path / "c") == content(tmp_path / "d")
    np.testing.assert_array_equal(annotated[0].depth, depthmask.open(by_command)[0].depth)


def test_a_dataset_is_verified_repaired_and_described(by_command: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    depthmask.make(WORDS, output=out, progress="none")
    assert depthmask.verify(out, progress="none") == []
    shard = sorted((out / "shards").iterdir())[0]
    shard.write_bytes(b"something else")
    (out / "shards" / "other.tar").write_bytes(b"")
    problems = depthmask.verify(str(out), progress="none")
    assert [str(problem) for problem in problems] == [
        "train-000000: train-000000.tar has 14 bytes, not 10240",
        "shards/other.tar: belongs to no shard",
    ] or [problem.shard for problem in problems] == ["train-000000", None]
    assert depthmask.verify(out, repair=True, progress="none") == []
    assert content(out)["shards"] == content(by_command)["shards"]
    page = depthmask.report(out, progress="none")
    assert str(page) == str(out / "report.html")
    assert page.read_bytes().startswith(b"<!doctype html>")
    other = depthmask.report(out, into=tmp_path / "page.html", progress="none")
    assert str(other) == str(tmp_path / "page.html")


def _table(dataset: Path) -> list[tuple[Sequence[str], Callable[[], object]]]:
    """Mistakes: the words of a command line, and the same from Python."""
    out = str(dataset)
    wrong = dataset.parent / "wrong"
    wrong.mkdir(exist_ok=True)
    (wrong / "notes.txt").write_text("mine")
    make = depthmask.make
    small = [word for word in WORDS if "rooms" not in word and "furniture" not in word]
    return [
        (["samples=many"], lambda: make({"samples": "many"})),
        (["samples=many"], lambda: make(["samples=many"])),
        (["placement=grod"], lambda: make({"placement": "grod"})),
        (["placement.grid=1"], lambda: make({"placement.grid": 1})),
        (["split.train=2"], lambda: make({"split": {"train": 2}})),
        (["placement=random,grid"], lambda: make(["placement=random,grid"])),
        (["+experiment=placements"], lambda: make({"+experiment": "placements"})),
        (["hydra.run.dir=x"], lambda: make({"hydra.run.dir": "x"})),
        (["output="], lambda: make(["output="])),
        (["--no-such"], lambda: make(["--no-such"])),
        (["source.root=s3://me:secret@host/x"], lambda: make({"source.root": "s3://me:secret@host/x"})),
        ([*small, "source=assets"], lambda: make([*small, "source=assets"])),
        ([*small, "source=assets", "source.root=/no/such"],
         lambda: make([*small, "source=assets", "source.root=/no/such"])),
        ([*WORDS, f"output={wrong}"], lambda: make(SETTINGS, output=wrong)),
        ([*WORDS, f"output={out}", "seed=7"], lambda: make({**SETTINGS, "seed": 7}, output=out)),
        (["convert", out, "samples=3"], lambda: depthmask.convert(out, ["samples=3"], output=None)),
        (["convert", "/no/such", "writer=npz"],
         lambda: depthmask.convert("/no/such", {"writer": "npz"}, output=None)),
        (["annotate", out, "depth=none", "output=x"],
         lambda: depthmask.annotate(out, {"depth": "none"}, output="x")),
        (["verify", str(wrong)], lambda: depthmask.verify(wrong)),
        (["report", str(wrong)], lambda: depthmask.report(wrong)),
        (["report", out, "--into", str(wrong / "notes.txt")],
         lambda: depthmask.report(out, into=wrong / "notes.txt")),
        (["report", out, "--into", "no/such/page.html"],
         lambda: depthmask.report(out, into="no/such/page.html")),
    ]  # fmt: skip


def test_errors_have_the_line_of_the_command(
    by_command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, call in _table(by_command):
        code = main(words)
        printed = capsys.readouterr().err
        with pytest.raises(depthmask.DepthmaskError) as caught:
            call()
        assert printed == f"error: {caught.value}\n", words
        assert caught.value.exit_code == code == 2
        # The frames of this test, of the function, and of the one that raises.
        assert len(caught.traceback) <= 4
        assert caught.value.__cause__ is None


@pytest.mark.usefixtures("stages_of_tests")
def test_a_stage_that_fails_has_the_line_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("place", "labels_in_settings"):
        monkeypatch.setattr(Broken, method, lambda *arguments: 1 // 0)
        out = tmp_path / method
        words = [word for word in WORDS if not word.startswith("placement")]
        words = [*words, "placement=broken", f"output={out}"]
        assert main(words) == 1
        printed = capsys.readouterr().err
        with pytest.raises(depthmask.DepthmaskError) as caught:
            depthmask.make(words)
        assert printed.endswith(f"error: {caught.value}\n")
        assert "placement=broken" in str(caught.value)
        assert "ZeroDivisionError" in str(caught.value)


@depthmask.stage("broken")
class Broken(depthmask.Placement):
    """Fails."""

    def place(self, *arguments: object) -> depthmask.Layer:
        raise AssertionError


@pytest.mark.parametrize("config", ["samples=4", 3, None, [3], object(), b"samples=4"])
def test_what_is_no_config_gets_one_line(config: Any) -> None:
    for name in ("make", "virtual"):
        with pytest.raises(depthmask.UsageError, match=rf"^{name}[(:].*samples=") as caught:
            getattr(depthmask, name)(config)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, b"out", ["out"], 3, Dataset])
def test_what_is_no_path_gets_one_line(
    value: Any, by_command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text would be the name of a folder."""
    monkeypatch.chdir(tmp_path)
    value = depthmask.open(by_command) if value is Dataset else value
    calls: list[Callable[[Any], object]] = [
        *(depthmask.open, depthmask.verify, depthmask.report),
        lambda path: depthmask.convert([path], output="out"),
    ]
    if value:
        calls += [
            lambda path: depthmask.make(SETTINGS, output=path),
            lambda path: depthmask.convert(by_command, output=path),
            lambda path: depthmask.report(by_command, into=path),
        ]
    for call in calls:
        with pytest.raises(depthmask.UsageError, match=r"is no path; give a text or a pathlib"):
            call(value)
    assert list(tmp_path.iterdir()) == []


def test_the_import_loads_no_large_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import depthmask\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*(name for name in new - set(sys.stdlib_module_names) if 'cython' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) - {"__mp_main__"} == PACKAGES
