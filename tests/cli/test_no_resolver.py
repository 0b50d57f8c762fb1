"""No file of a dataset has a resolver run: `${oc.env:NAME}` in it is a text."""

from __future__ import annotations

import ast
import copy
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from omegaconf.basecontainer import BaseContainer

import depthmask
from depthmask.cli.main import main
from depthmask.config.build import from_plain, to_plain
from depthmask.config.plan_config import config_of
from depthmask.errors import DepthmaskError
from depthmask.storage.location import location
from depthmask.storage.publish import require_sealed, write_sealed
from depthmask.untrusted import untrusted
from tests.support import tiny

TEXT = "${oc.env:SECRET}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards, with the text as label and licence."""
    folder = tmp_path_factory.mktemp("resolver")
    assets = tiny.make_assets(folder / "assets")
    rows = "".join(f"box{number},{TEXT},{TEXT}\n" for number in range(4))
    (assets / "assets.csv").write_text(f"key,label,licence\n{rows}")
    words = tiny.words(assets, folder / "out", "samples=4", "shard_size=2")
    assert main([*words, "runner.workers=1", "labels=[coco]"]) == 0
    return folder / "out"


@pytest.fixture
def resolved(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The texts that any resolver has got; that of `SECRET` would give the folder of the assets."""
    seen: list[str] = []

    def watched(resolver: Any) -> Any:
        def call(config: Any, parent: Any, node: Any, args: Any, args_str: Any) -> Any:
            seen.append(str(args_str))
            return resolver(config, parent, node, args, args_str)

        return call

    monkeypatch.setenv("SECRET", str(made.parent / "assets"))
    for name, resolver in BaseContainer._resolvers.items():
        if name.startswith("oc."):
            monkeypatch.setitem(BaseContainer._resolvers, name, watched(resolver))
    yield seen
    assert seen == []


@pytest.fixture
def out(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(made, tmp_path / "out"))


def write(path: Path, content: dict[str, Any]) -> None:
    write_sealed(location(path), {k: v for k, v in content.items() if k != "checksum"})


COMMANDS = [
    "render out --index 0",
    "verify out --repair",
    "resume out",
    "extend out samples=6 runner.workers=1",
    "repeat out output=new runner.workers=1",
    "convert out writer=npz output=new runner.workers=1",
    "annotate out depth=none output=new runner.workers=1",
    "report out",
    "pictures out --count 1",
    "stats out",
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
@pytest.mark.usefixtures("resolved")
def test_commands_read_a_plan_as_text(
    out: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    plan = require_sealed(location(out) / "plan.json")
    secret = plan["unhashed"]["source"]["root"]
    plan["unhashed"]["source"]["root"] = TEXT
    write(out / "plan.json", plan)
    shard = out / "shards" / "train-000001.tar"
    if command.startswith(("verify", "resume")):
        shard.write_bytes(b"damaged")
    code = main(command.split())
    said = capsys.readouterr()
    assert secret not in said.out + said.err
    if command.startswith(("render", "verify", "resume", "extend", "repeat")):
        # No folder has this name, so nothing can be made.
        assert code in (1, 2)
        assert not (tmp_path / "new" / "shards").exists()
        assert shard.read_bytes() == b"damaged" or not command.startswith(("verify", "resume"))
    elif command.startswith(("report", "pictures", "stats")):
        assert code == 0
    written = [path for path in (tmp_path / "new").rglob("*.json") if path.is_file()]
    assert not [path for path in written if secret.encode() in path.read_bytes()]


def texts_of(value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each text, and to each number, of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, dict | list):
            yield from texts_of(inner, (*keys, key))
        else:
            yield (*keys, key)


def changed(value: Any, keys: tuple[Any, ...]) -> Any:
    """A copy with the text in one place."""
    new = inner = copy.deepcopy(value)
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = TEXT
    return new


@pytest.mark.usefixtures("resolved")
def test_each_value_of_a_config(made: Path) -> None:
    config = config_of(require_sealed(location(made) / "plan.json"))
    accepted = []
    for keys in texts_of(config):
        with suppress(DepthmaskError), untrusted("plan.json"):
            again = to_plain(from_plain(changed(config, keys)))
            accepted.append(keys)
            assert again == changed(again, keys)
    assert ("source", "root") in accepted


@pytest.mark.usefixtures("resolved")
def test_each_value_of_dataset_json_and_of_a_record(
    out: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = str(made.parent / "assets")
    for name in ("dataset.json", "records/train-000000.json"):
        content = require_sealed(location(out) / name)
        for keys in texts_of(content):
            write(out / name, changed(content, keys))
            for command in ("stats", "verify"):
                main([command, str(out)])
            with suppress(DepthmaskError):
                assert secret not in str(depthmask.open(out)[0].meta)
        write(out / name, content)
    assert secret not in "".join(capsys.readouterr())


@pytest.mark.usefixtures("resolved")
def test_labels_and_licences_stay_as_they_are(out: Path, tmp_path: Path) -> None:
    words = ["writer=npz", f"output={tmp_path / 'new'}", "runner.workers=1"]
    assert main(["convert", str(out), *words]) == 0
    assert main(["report", str(out)]) == 0
    for path in (out, tmp_path / "new"):
        dataset = depthmask.open(path)
        labels = {layer["label"] for sample in dataset for layer in sample.meta["layers"]}
        assert labels == {TEXT}
        licences = json.loads((path / "dataset.json").read_text())["licences"]
        assert licences["foregrounds"] == {TEXT: 4}
    for page in (out / "report.html", out / "README.md"):
        assert TEXT in page.read_text().replace("\\", "")


def test_a_config_that_no_grammar_can_read(out: Path) -> None:
    """The page about a dataset shows the text; OmegaConf would refuse it."""
    plan = require_sealed(location(out) / "plan.json")
    plan["unhashed"]["source"]["root"] = "${oc.env:"
    write(out / "plan.json", plan)
    assert main(["report", str(out)]) == 0
    assert "${oc.env:" in (out / "report.html").read_text()


@pytest.mark.parametrize("key", ["hydra", "defaults", "_target_", "()", "nosuch"])
@pytest.mark.parametrize("command", ["resume", "repeat", "render", "verify"])
def test_a_plan_has_no_settings_of_hydra(out: Path, command: str, key: str) -> None:
    plan = require_sealed(location(out) / "plan.json")
    folder = str(out.parent)
    (out.parent / "a.pth").write_text("import pathlib; pathlib.Path('ran').touch()\n")
    call = {"_target_": "site.addsitedir", "sitedir": folder}
    plan["config"][key] = {"callbacks": {"x": call}, **call}
    write(out / "plan.json", plan)
    (out / "shards" / "train-000001.tar").write_bytes(b"damaged")
    more = {"repeat": ["output=new"], "render": ["--index", "0"], "verify": ["--repair"]}
    assert main([command, str(out), *more.get(command, [])]) != 0
    assert not (out.parent / "ran").exists()


def test_only_configs_are_read_by_what_resolves() -> None:
    """OmegaConf and YAML read configs alone, so that other files of a dataset stay texts."""
    package = Path(depthmask.__file__).parent
    using = {"omegaconf": set[str](), "hydra": set[str](), "yaml": set[str]()}
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if (top := name.partition(".")[0]) in using:
                    using[top].add(path.relative_to(package).parts[0])
    # `testing` tests stages; `reports` writes YAML.
    assert using["omegaconf"] | using["hydra"] <= {"config", "cli", "testing"}
    assert using["yaml"] <= {"config", "reports"}
