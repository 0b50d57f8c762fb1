"""Words that Hydra's grammar refuses, or takes for a sweep: what is wrong, and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.config.compose import compose_root
from depthmask.errors import UsageError

SEVERAL = "several values"
M = "add -m to make a dataset with each"
OPTUNA = "hydra/sweeper=optuna target=NAME (pip install 'depthmask[optuna]')"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        # Commas.
        (["objects=1,3"], f"objects=1,3: {SEVERAL}; objects=[1,3] is from the least to the "
         f"greatest number in a sample, or {M}"),
        (["writer=zip,npz"], f"writer=zip,npz: {SEVERAL}; choose one, or {M}"),
        (["labels=coco,instances"], f"labels=coco,instances: {SEVERAL}; labels=[coco,instances] "
         f"chooses all of them, or {M}"),
        (["seed=1,2"], f"seed=1,2: {SEVERAL}; {M}"),
        (["samples=10,000"], f"samples=10,000: {SEVERAL}; samples=10000 is one number, or {M}"),
        (["size=160,120"], f"size=160,120: {SEVERAL}; size=[160,120] is one value, or {M}"),
        (["placement.min_scale=0,5"], f"placement.min_scale=0,5: {SEVERAL}; "
         f"placement.min_scale=0.5 is one number, or {M}"),
        (["split=0.8,0.1,0.1"], f"split=0.8,0.1,0.1: {SEVERAL}; split has several settings, which "
         f"are written one by one, as in split.train=0.8 split.val=0.1 split.test=0.1, or {M}"),
        (["placement=ground", "placement.heights={chair:0,9}"], "placement.heights={chair:0,9}: dec"
         "imal numbers have a point; write 'placement.heights={chair:0.9}'"),
        (["placement=ground", "placement.heights={a:0,9,b:1}"], "placement.heights={a:0,9,b:1}: dec"
         "imal numbers have a point; write 'placement.heights={a:0.9,b:1}'"),
        (["output=a,b"], f"output=a,b: {SEVERAL}; \"output='a,b'\" is one text, or {M}"),
        # Functions.
        (["placement.min_scale=interval(0.1,0.9)"], "placement.min_scale=interval(0.1,0.9): only "
         f"Optuna searches an interval; add -m {OPTUNA}"),
        (["seed=choice(1,2)"], f"seed=choice(1,2): {SEVERAL}; {M}"),
        (["seed=range(1,4)"], f"seed=range(1,4): {SEVERAL}; {M}"),
        (["seed=range(a"], "seed=range(a: range(...) is not written so; "),
        (["seed=choice()"], "seed=choice(): choice(...) is not written so; choice(A,B), range(A,B"),
        (["output=data(1)"], "output=data(1): data(...) is no function; a text is written "),
        # Sizes.
        *((["size=" + value], f"size={shown}: must be [height, width], two whole numbers from 8 to")
          for value, shown in {"160": "160", "160x120": "160x120", "[160,160,3]": "[160, 160, 3]",
                               "[160]": "[160]", "[4,4]": "[4, 4]", "{a:1}": "{a:1}",
                               "[[8,8],[8,8]]": "[[8, 8], [8, 8]]"}.items()),
        (["size=(160,120)"], "size=(160,120): a list of numbers is written 'size=[160,120]'"),
        (["size=[160,160"], "size=[160,160: a list of numbers is written 'size=[160,160]'"),
        (["size=[160,wide]"], "size=[160,wide]: size[1] must be a whole number"),
        # Numbers.
        (["samples=1e6"], "samples=1e6: must be a whole number; write 1000000"),
        (["samples=10k"], "samples=10k: must be a whole number; write 10000"),
        (["samples=2.5M"], "samples=2.5M: must be a whole number; write 2500000"),
        (["samples=1.5"], "samples=1.5: must be a whole number"),
        # Several numbers where one is due.
        *((["seed=" + value], f"seed={value}: must be a whole number; with -m {meant} makes a data")
          for value, meant in {"[0,1,2]": "seed=0,1,2", "0-3": "'seed=range(0,4)'",
                               "0:3": "'seed=range(0,4)'", "1..3": "'seed=range(1,4)'"}.items()),
        (["seed=a-b"], "seed=a-b: must be a whole number"),
        # Spaces within a value.
        (["objects=[1,", "3]", "samples=2"], "objects=[1,: a value has no spaces outside of quotes;"
         " write 'objects=[1,3]'"),
        (["seed=0,", "1,", "2"], "seed=0,: a value has no spaces outside of quotes; write seed=0,1"
         ",2"),
        (["size=[240", ",", "320]"], "size=[240: a value has no spaces outside of quotes; write 's"
         "ize=[240,320]'"),
        (["placement.heights={a:", "1,", "b:", "2}"], "placement.heights={a:: a value has no space"
         "s outside of quotes; write 'placement.heights={a:1,b:2}'"),
        (["objects=[1,", "samples=2"], "objects=[1,: a comma lacks its value; write 'objects=[1]'"),
        # Spaces and signs.
        (["samples", "10"], "samples: a setting needs a value: write samples=10"),
        (["samples"], "samples: a setting needs a value: write samples=VALUE"),
        (["placement"], "placement: a setting needs a value: write placement=random"),
        (["samples", "=10"], "=10: write samples=10, without spaces beside the ="),
        (["samples=", "10"], "10: write samples=10, without spaces beside the ="),
        (["samples", "=", "10"], "=: write samples=10, without spaces beside the ="),
        (["=10"], "=10: write NAME=10, without spaces beside the ="),
        (["samples:10"], "samples:10: a setting needs a value: write samples=10"),
        (["samples==10"], "samples==10: write samples=10"),
        (["samples=10;seed=2"], "samples=10;seed=2: settings are separated by spaces: write sampl"),
        (["output=a", "b"], "b: is no setting; if it belongs to the value of output, write \"outp"),
        (["pairs"], "pairs: a choice is written with its group: +preset=pairs"),
        (["+pairs"], "+pairs: a choice is written with its group: +preset=pairs"),
        (["./out"], "./out: a path belongs to a setting or a command; write output=./out or verif"),
        (["sampels"], "sampels: is no setting; did you mean samples=VALUE?"),
        (["qqq"], "qqq: is no setting; settings are written NAME=VALUE"),
        # Quotes, brackets and other characters.
        (["output='abc"], "output='abc: the quote ' is not closed; a text is written output=abc"),
        (["objects=[1,"], "objects=[1,: a comma lacks its value; write 'objects=[1]'"),
        (["objects=[1,]"], "objects=[1,]: a comma lacks its value; write 'objects=[1]'"),
        (["objects=[1"], "objects=[1: a bracket ] is missing; write 'objects=[1]'"),
        (["objects=1]"], "objects=1]: a bracket [ is missing; write 'objects=[1]'"),
        (["output=a=b"], "output=a=b: the value has a character with a meaning of its own; write"),
        (["\u2013samples=10"], "\u2013samples=10: has characters of a word processor; write sampl"),
        (["size=\u201c[8,8]\u201d"], "size=\u201c[8,8]\u201d: has characters of a word processor;"),
        (["sam ples=3"], "sam ples=3: 'sam ples' is no name of a setting; settings are written NA"),
        # Signs before the name.
        (["+samples=1"], "+samples=1: samples has a value anyway, which is replaced without +: wr"),
        (["+placement=grid"], "+placement=grid: placement has a value anyway, which is replaced w"),
        (["++placement=grid"], "++placement=grid: a group has a choice without ++; write placemen"),
        (["++x"], "++x: is no setting; settings are written NAME=VALUE"),
        (["++x=1"], "x: no such setting; available: output"),
        (["~labels"], "~labels: no labels are chosen, so there is nothing to remove; leave the wo"),
        (["~placement.scales.sofa"], "~placement.scales.sofa: there is no placement.scales.sofa t"),
        (["~samples=7"], "~samples=7: has another value, so there is nothing to remove; leave"),
        (["~"], "~: is no setting; settings are written NAME=VALUE"),
        (["+placement@x=grid"], "+placement@x=grid: a placement has one place in the config; writ"),
        # Groups.
        (["split=0.8"], "split=0.8: is a group of settings: split.train, split.val, split.test"),
        (["encode=[jpeg]"], "encode=[jpeg]: is a group of settings: encode.image, encode.quality"),
        (["placement=[ground,random]"], "placement=[ground,random]: choose one, or several by -m "),
        (["placement=[random,grid]"], "placement=[random,grid]: choose one, or several by -m place"
         "ment=random,grid"),
        # Choices that are no names.
        (["output=a;b"], "output=a;b: the value has a character with a meaning of its own; write "
         "\"output='a;b'\""),
        (["writer=-1"], "writer=-1: choose by name, as in writer=NAME"),
        (["+preset=1e400"], "preset=1e400: no such preset; available: depthmaskdataset, "),
        (["geometry=${nosuch}"], "geometry=${nosuch}: ${nosuch} cannot be resolved here; write a "),
    ],
)  # fmt: skip
def test_a_word(words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose_root(words)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(line)
    assert "Hydra" not in text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["samples", "10"], "samples: a setting needs a value: write samples=10"),
        (["samples", "=10"], "samples: write samples=10, without spaces beside the ="),
        (["samples:10"], "samples:10: a setting needs a value: write samples=10"),
        (["pairs"], "pairs: a choice is written with its group: +preset=pairs"),
        (["verify=OUT"], "verify=OUT: verify is a command; write verify and a space after it"),
        (["Report=OUT"], "Report=OUT: report is a command; write report and a space after it"),
        (["-m", "seed=0,1", "output=${nosuch}"], "output=${nosuch}: ${nosuch}: no such setting"),
        (["-m", "seed=interval(1,2)"], "seed=interval(1,2): only Optuna searches an interval; add "
         f"{OPTUNA}, or list values, as in NAME=0.1,0.9"),
        (["-m", "hydra.job.name=a,b"], "hydra.job.name=a,b: settings of Hydra cannot be swept; gi"),
        (["-m", "placement=[random,grid]"], "placement=[random,grid]: choose one, or several by -"),
        (["-m", "extend", "OUT"], "extend: a command is the first word, before settings and optio"),
        (["hydra.run.dir=x"], "hydra.run.dir=x: depthmask does not use this folder; write output="),
        (["-m", "hydra.sweep.dir=x", "seed=0,1"], "hydra.sweep.dir=x: depthmask does not use this"),
        (["-m", "seed=0,1", "hydra.sweeper.n_trials=3"], "hydra.sweeper.n_trials=3: belongs to hyd"
         "ra/sweeper=optuna; add hydra/sweeper=optuna"),
        (["-m", "seed=0,1", "hydra.launcher.n_jobs=3"], "hydra.launcher.n_jobs=3: belongs to hydra"
         "/launcher=joblib; add hydra/launcher=joblib"),
        (["+experiment=placements"], "+experiment=placements is a sweep over placement, objects; a"
         "dd -m to make a dataset with each combination"),
    ],
)  # fmt: skip
def test_a_command_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sets/mine.yaml"], "sets/mine.yaml: a config is chosen by its name; write --config-dir "
         "sets --config-name mine"),
        (["sets/preset/few.yaml"], "sets/preset/few.yaml: a config is chosen by its name; write "
         "--config-dir sets +preset=few"),
        (["--config-name", "sets/mine"], "--config-name sets/mine: a name, not a path; write "
         "--config-dir sets --config-name mine"),
        (["--config-name=sets/mine.yaml"], "--config-name sets/mine.yaml: a name, not a path; "),
        (["+preset=sets/preset/few.yaml"], "+preset=sets/preset/few.yaml: a name, not a path; "
         "write --config-dir sets +preset=few"),
        (["placement=sets/placement/tall"], "placement=sets/placement/tall: a name, not a path; "
         "write --config-dir sets placement=tall"),
        (["sets/none.yaml"], "sets/none.yaml: no such command"),
    ],
)  # fmt: skip
def test_a_path_of_a_config(
    words: list[str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("mine", "preset/few", "placement/tall"):
        path = tmp_path / "sets" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("seed: 1\n")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")


def test_a_working_folder_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert main(["samples=3", f"output={tmp_path / 'out'}"]) == 2
    said = "error: the current folder was deleted; change to another folder\n"
    assert capsys.readouterr().err == said
