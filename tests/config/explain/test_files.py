"""Mistakes in YAML presets: one line with the file, the line, the key and what was expected."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from depthmask.config.compose import compose_root
from depthmask.errors import UsageError

GLOBAL = "# @package _global_\n"
CHOICES = f"{GLOBAL}defaults:\n"
SCHEMA = "defaults:\n  - /schema/placement/random@_here_\n  - _self_\n"
PRESET = ("+preset=mine",)
STAGE = ("placement=mine",)
WORDS = ["depth=none", "geometry=none"]
FIELDS = "Available: output, overwrite, samples, seed, size, objects, "


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """The error for these words with the presets in `mydir`, seen from the folder above."""
    (tmp_path / "mydir").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        compose_root([*words, "--config-dir", "mydir", *WORDS])
    text = str(caught.value)
    assert "\n" not in text
    return text


KEYS = {
    "root": ("sampels: 5\n", f"2: sampels: no such setting; did you mean samples? {FIELDS}"),
    "stage": (
        "# Mine.\nplacement:\n  min_scal: 0.5\n",
        "4: placement.min_scal: no such setting; did you mean placement.min_scale? Available: ",
    ),
    "encode": ("encode:\n  qualty: 5\n", "3: encode.qualty: no such setting; did you mean encode"),
    "split": ("split:\n  tran: 1\n", "3: split.tran: no such setting; did you mean split.train?"),
    "label": (
        "defaults:\n  - override /labels: [coco]\n  - _self_\nlabels:\n  coco:\n    nosuch: 1\n",
        "7: labels.coco.nosuch: no such setting; available: none",
    ),
    "label not chosen": (
        "labels:\n  coco:\n    nosuch: 1\n",
        "3: labels.coco: coco is not chosen; add it by labels=[coco]",
    ),
    "no label": (
        "labels:\n  coc:\n    nosuch: 1\n",
        "3: labels.coc: labels=coc: no such labels; did you mean labels=coco?",
    ),
    "group": ("placment:\n  rows: 5\n", "2: placment: no such setting; did you mean placement?"),
    "defaults": ("default:\n  - pairs\n", "2: default: no such setting; did you mean defaults?"),
    "hydra": ("hydra:\n  swep: 1\n", "3: hydra.swep: no such setting; did you mean hydra.sweep?"),
    "number": ("1: 5\n", "2: 1: no such setting; available: output"),
    "plus": ("+samples: 5\n", "2: +samples: no such setting; did you mean samples?"),
    "dotted": (
        "encode.quality: 5\n",
        "2: encode.quality: write `encode:` and, indented below it, `quality: VALUE`",
    ),
    "null": ("? \n: 5\n", "2: the name of a setting must be a text, as in NAME: VALUE"),
    "list": ("? [1, 2]\n: 5\n", "2: the name of a setting must be a text, as in NAME: VALUE"),
}
SYNTAX = {
    "tab": ("encode:\n\tquality: 5\n", "3: a tab, which YAML does not allow; indent with spaces"),
    "bracket": ("size: [32, 32\nsamples: 5\n", "3: the bracket that line 2 opens is not closed"),
    "brace": ("\nsplit: {train: 1\n", "4: the bracket that line 3 opens is not closed"),
    "quote": ('output: "abc\nsamples: 5\n', "4: the quote that line 2 opens is not closed"),
    "twice": ("samples: 5\nseed: 1\nsamples: 6\n", "4: samples stands here twice, first in line 2"),
    "twice inside": ("encode:\n  mask: png\n  mask: png\n", "4: mask stands here twice, first in"),
    "list": ("- samples: 5\n", "2: a list where settings have to stand; write NAME: VALUE"),
    "value": ("samples\n", "2: a single value where settings have to stand; write NAME: VALUE"),
    "number": ("5\n", "2: a single value where settings have to stand"),
    "no space": ("samples:5\n", "2: write samples: VALUE, with a space after the colon"),
    "equals": ("samples=5\n", "2: write samples: VALUE, with a space after the colon"),
    "first without space": ("samples:5\nseed: 4\n", "3: not valid YAML; write NAME: VALUE"),
    "indent": ("samples: 5\n  seed: 4\n", "3: not valid YAML; write NAME: VALUE, with a space"),
    "two documents": ("samples: 5\n---\nseed: 4\n", "3: a second document begins here"),
    "anchor": ("samples: *x\n", "2: *x refers to an anchor that does not exist"),
    "tag": ("samples: !mine 5\n", "2: the tag !mine has no meaning here; remove it"),
    "code": ("samples: !!python/object:os.system x\n", "2: the tag tag:yaml.org,2002:python/obj"),
    "percent": ("samples: %5\n", "2: a value cannot begin with %; put it in quotes"),
    "merge": ("<<: 3\n", "2: not a value; put a text in quotes"),
    "recursive": ("size: &x [*x]\n", "2: an alias like *NAME stands inside of what it repeats"),
    "large": (
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"{ord(one)}: &{chr(ord(one) + 1)} [{10 * f'*{one}, '}]\n" for one in "abcde"),
        "1: aliases like *NAME repeat more than 100,000 values",
    ),
    "a little deep": (
        f"size: {'[' * 150}{']' * 150}\n",
        "1: lists or groups are nested too deeply",
    ),
    "deep": (f"size: {'[' * 5000}\n", "1: lists or groups are nested too deeply"),
    "nul": ("samples: 5\0\n", "2: the character U+0000 is not allowed"),
    "crlf": ("samples: 5\r\nsampels: 3\r\n", "3: sampels: no such setting; did you mean samples?"),
}
VALUES = {
    "whole number": ("samples: many\n", "2: samples=many: must be a whole number"),
    "number": ("placement:\n  min_scale: big\n", "3: placement.min_scale=big: must be a number"),
    "bool": ("flips: maybe\n", "2: flips=maybe: must be true or false"),
    "enum": ("encode:\n  image: gif\n", "3: encode.image=gif: must be one of jpeg, png"),
    "list": ("size: 160\n", "2: size=160: must be [height, width], two whole numbers"),
    "group for a list": ("size: {a: 1}\n", "2: size: must be [height, width], two whole numbers"),
    "item": ("size: [160, wide]\n", "2: size[1]=wide: must be a whole number"),
    "no item": ("size:\n  - 160\n  -\n", "4: size[1]=null: must not be null"),
    "group": ("samples:\n  number: 5\n", "2: samples: must be a whole number"),
    "null": ("seed:\n", "2: seed=null: must be a whole number"),
    "block": ("encode: jpeg\n", "2: encode: must be a group: its settings stand below it"),
    "stage": (
        "placement: grid\n",
        "2: placement: choose in the defaults list, by `- override /pla",
    ),
    "no stage": ("placement:\n", "2: placement=null: no such placement; available: grid, ground"),
    "labels": ("labels: [coco]\n", "2: labels: choose in the defaults list, by `- override /labe"),
    "stage's list": (
        "defaults:\n  - override /blend: several\n  - _self_\nblend:\n  of: {a: 1}\n",
        "6: blend.of: must be a list, each item a text",
    ),
    "mapping": (
        "defaults:\n  - override /placement: ground\n  - _self_\nplacement:\n  heights: {a: b}\n",
        "6: placement.heights={a: b}: must be metres or [least, largest]",
    ),
    "hydra": (
        "hydra:\n  job:\n    chdir: perhaps\n",
        "4: hydra.job.chdir=perhaps: must be true or",
    ),
    "hydra as a list": ("hydra:\n  - a\n", "2: hydra must be a group of settings"),
    "range": ("samples: 0\n", "2: samples=0: must be at least 1"),
    "range in a stage": (
        "\nplacement:\n  min_visible: 1.5\n",
        "4: placement.min_visible=1.5: must be at most 1",
    ),
    "range in a block": ("encode:\n  quality: 0\n", "3: encode.quality=0: must be at least 1"),
    "two values": (
        "placement:\n  min_scale: 2\n",
        "3: placement.max_scale=1: must be at least min_scale=2",
    ),
    "several": ("objects: [3, 1]\n", "2: objects=[3, 1]: must be from 1 to 65535, the smaller"),
    "interpolation": (
        "samples: ${nosuch}\n",
        "2: samples: ${nosuch}: no such setting; available: ",
    ),
    "near interpolation": (
        "samples: ${sed}\n",
        "2: samples: ${sed}: no such setting; did you mean",
    ),
    "interpolation in a stage": (
        "placement:\n  min_scale: ${nosuch}\n",
        "3: placement.min_scale: ${nosuch}: no such setting",
    ),
    "environment": (
        "output: ${oc.env:NOSUCH}\n",
        "2: output: the environment variable NOSUCH is not set",
    ),
    "resolver": ("samples: ${nosuch:1}\n", "2: samples: ${nosuch:...}: no such resolver"),
    "circle": ("samples: ${samples}\n", "2: samples: refers to itself"),
    "interpolated type": ("samples: ${target}\ntarget: x\n", "2: samples: must be a whole number"),
    "brace": ("samples: ${a\n", "2: a value with ${ that is no ${NAME}; write \\${ where the text"),
    "missing": ("samples: ???\n", "2: samples: ??? is no value; write one, or remove the line"),
    "missing in a stage": ("placement:\n  min_scale: ???\n", "3: placement.min_scale: ??? is no"),
}
DEFAULTS = {
    "stage": ("  - override /placement: gird\n", "3: placement=gird: no such placement; did you"),
    "group": (
        "  - override /placment: grid\n",
        "3: override /placment: no such group; did you mean placement?",
    ),
    "preset": ("  - paris\n", "3: preset=paris: no such preset; did you mean preset=pairs?"),
    "label": ("  - override /labels: [coc]\n", "3: labels=coc: no such labels; did you mean lab"),
    "launcher": ("  - override /hydra/launcher: basc\n", "3: hydra/launcher=basc: no such hydra/"),
    "relative": (
        "  - override placement: grid\n",
        "3: placement: a group begins with a slash here: write `override /placement: NAME`",
    ),
    "relative without keyword": (
        "  - placement: grid\n",
        "3: placement: a group begins with a sla",
    ),
    "path": ("  - ../placement/grid\n", "3: ../placement/grid: write the path from the top"),
    "file": ("  - /placement/grid\n", "3: placement/grid: choose a placement by `override /placem"),
    "no keyword": (
        "  - /placement: grid\n",
        "3: /placement has a choice already; write `override /placement: NAME`",
    ),
    "no keyword, same": ("  - /placement: random\n", "3: /placement has a choice already; write"),
    "keyword": ("  - overide /placement: grid\n", "3: overide: no such keyword; write `override"),
    "capital": ("  - Override /placement: grid\n", "3: Override: no such keyword; write `override"),
    "colon": ("  - override: /placement=grid\n", "3: override: needs a group, as in `override /p"),
    "equals": (
        "  - override /placement=grid\n",
        "3: override /placement=grid: write `override /placement: grid`, with a space",
    ),
    "no space": ("  - override /placement:grid\n", "3: override /placement:grid: write `override"),
    "order": (
        "  - override /placement: grid\n  - pairs\n",
        "3: an entry with `override` stands before one without; move it to the end",
    ),
    "self": ("  - override /placement: grid\n  - self\n", "4: self: did you mean _self_?"),
    "self misspelt": ("  - _sefl_\n", "3: _sefl_: did you mean _self_?"),
    "self twice": ("  - _self_\n  - pairs\n  - _self_\n", "5: _self_ stands twice in the defaults"),
    "self with a place": ("  - _self_@x\n", "3: write _self_ alone; `# @package` at the top has"),
    "mapping": ("  override /placement: grid\n", "3: defaults must be a list, with lines like"),
    "nothing": ("", "2: defaults must be a list, with lines like `- override /placement: grid`"),
    "number": ("  - 3\n", "3: write NAME, or `override /GROUP: NAME`, after the dash"),
    "null": ("  -\n", "3: write NAME, or `override /GROUP: NAME`, after the dash"),
    "empty": ("  - {}\n", "3: write NAME, or `override /GROUP: NAME`, after the dash"),
    "number as a name": ("  - override /placement: 3\n", "3: /placement: choose by name, as in"),
    "float as a name": ("  - override /placement: 1e5\n", "3: /placement: choose by name, as in"),
    "no name": ("  - override /placement:\n", "3: placement=null: no such placement; available"),
    "two in one": (
        "  - override /placement: grid\n    override /blend: alpha\n",
        "4: begin each entry of the defaults list with a dash of its own",
    ),
    "missing": (
        "  - override /placement: ???\n",
        "3: /placement: a choice is required; give placement=NAME",
    ),
    "interpolation": ("  - override /placement: ${x}\n", "3: ${x}: cannot be resolved here; write"),
    "wrong interpolation": ("  - override /writer: ${placement}\n", "3: ${placement}: cannot be"),
    "circle": ("  - mine\n", "3: preset/mine is chosen in a circle, since it leads here"),
    "quote": ("  - override /'placement: grid\n", "3: override /'placement: no such group"),
}
HEADERS = {
    "none": (
        "samples: 5\n",
        "1: the first line must be `# @package _global_`; without it, preset.",
    ),
    "none, choices": (
        "defaults:\n  - override /placement: grid\n  - _self_\n",
        "1: the first line must be `# @package _global_`; without it, preset. stands before all",
    ),
    "none, stage": ("placement:\n  min_scale: 1\n", "1: the first line must be `# @package _glob"),
    "second line": (
        f"# Mine.\n{GLOBAL}samples: 5\n",
        "2: write `# @package _global_` as the first line, since preset is no group of settings",
    ),
    "no underscores": (
        "# @package global\nsamples: 5\n",
        "1: write `# @package _global_` as the first line, since global is no group of settings",
    ),
    "misspelt": ("# @package _globl_\nsamples: 5\n", "1: write `# @package _global_` as the first"),
    "colon": ("# @package: _global_\nsamples: 5\n", "1: write `# @package _global_` as the first"),
    "no at": ("# package _global_\nsamples: 5\n", "1: write `# @package _global_` as the first"),
    "alone": ("# @package\nsamples: 5\n", "1: write `# @package _global_`, and nothing else in"),
    "comment": (
        "# @package _global_ # x\nsamples: 5\n",
        "1: write `# @package _global_`, and noth",
    ),
    "only comments": ("# Nothing yet.\n", "1: the first line must be `# @package _global_`"),
    "empty": ("\n", "1: the file is empty; write settings as NAME: VALUE"),
    "latin-1": ("# größe\nsamples: 5\n".encode("latin-1"), "1: not in UTF-8; save the file in"),
    "latin-1 later": ("a: 1\n# größe\n".encode("latin-1"), "2: not in UTF-8; save the file in"),
    "utf-16": ("samples: 5\n".encode("utf-16"), "1: not in UTF-8; save the file in this encoding"),
}
STAGES = {
    "key": (f"{SCHEMA}min_scal: 1\n", "4: placement.min_scal: no such setting; did you mean place"),
    "value": (f"{SCHEMA}min_scale: big\n", "4: placement.min_scale=big: must be a number"),
    "range": (f"{SCHEMA}min_visible: 7\n", "4: placement.min_visible=7: must be at most 1"),
    "no schema": ("min_scale: 1\n", "1: placement: the config names no stage; begin it with `def"),
    "no here": (
        "defaults: [/schema/placement/grid, _self_]\n",
        "1: placement: the config names no stage; begin it with `defaults: [/schema/placement/",
    ),
    "wrong schema": (
        "defaults: [/schema/placement/gird@_here_, _self_]\n",
        "1: schema/placement=gird: no such schema/placement; did you mean schema/placement=grid?",
    ),
    "relative schema": (
        "defaults: [schema/placement/grid@_here_, _self_]\n",
        "1: placement/schema/placement=grid: no such placement/schema/placement",
    ),
    "another kind": (
        "defaults: [/schema/blend/alpha@_here_, _self_]\n",
        "1: placement: alpha is a blend; choose a placement",
    ),
    "self first": (
        "defaults:\n  - _self_\n  - /schema/placement/grid@_here_\nrows: 3\n",
        "3: /schema/placement/grid stands after _self_, so its defaults would replace the settings",
    ),
    "global": (
        f"{GLOBAL}{SCHEMA}",
        "1: the settings of a placement need no line `# @package _global_`; remove it",
    ),
    "header": (
        f"# @package place\n{SCHEMA}",
        "1: the settings of a placement need no line `# @package place`; remove it",
    ),
    "empty": ("", "1: the file is empty; write settings as NAME: VALUE"),
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(head + text, line, id=f"{name}: {case}")
        for name, head, table in [
            ("key", GLOBAL, KEYS),
            ("syntax", GLOBAL, SYNTAX),
            ("value", GLOBAL, VALUES),
            ("defaults", CHOICES, DEFAULTS),
        ]
        for case, (text, line) in table.items()
    ],
)
def test_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str) -> None:
    monkeypatch.delenv("NOSUCH", raising=False)
    write(tmp_path / "mydir", {"preset/mine.yaml": text})
    said = message(tmp_path, monkeypatch, *PRESET)
    assert said.startswith(f"mydir/preset/mine.yaml:{line}")


@pytest.mark.parametrize(("text", "line"), HEADERS.values(), ids=HEADERS)
def test_the_beginning_of_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, line: str
) -> None:
    write(tmp_path / "mydir", {"preset/mine.yaml": text})
    said = message(tmp_path, monkeypatch, *PRESET)
    assert said.startswith(f"mydir/preset/mine.yaml:{line}")


@pytest.mark.parametrize(("text", "line"), STAGES.values(), ids=STAGES)
def test_a_preset_of_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str
) -> None:
    write(tmp_path / "mydir", {"placement/mine.yaml": text})
    said = message(tmp_path, monkeypatch, *STAGE)
    assert said.startswith(f"mydir/placement/mine.yaml:{line}")


YOURS = f"{CHOICES}  - yours\n  - _self_\nseed: 3\n"
SPARSE = f"{CHOICES}  - override /placement: sparse\n  - _self_\n"


@pytest.mark.parametrize(
    ("files", "words", "line"),
    [
        # A preset that chooses another one.
        ({"preset/mine.yaml": YOURS, "preset/yours.yaml": f"{GLOBAL}sampels: 1\n"}, PRESET,
         "mydir/preset/yours.yaml:2: sampels: no such setting; did you mean samples?"),
        ({"preset/mine.yaml": YOURS, "preset/yours.yaml": f"{GLOBAL}samples: 0\nseed: -1\n"},
         PRESET, "mydir/preset/yours.yaml:2: samples=0: must be at least 1"),
        ({"preset/mine.yaml": YOURS, "preset/yours.yaml": f"{GLOBAL}size: [\n"}, PRESET,
         "mydir/preset/yours.yaml:3: a bracket is not closed, or a value lacks"),
        ({"preset/mine.yaml": YOURS, "preset/yours.yaml": f"{CHOICES}  - override /blend: x\n"},
         PRESET, "mydir/preset/yours.yaml:3: blend=x: no such blend; available: alpha"),
        ({"preset/mine.yaml": YOURS, "preset/yours.yaml": f"{CHOICES}  - mine\n"}, PRESET,
         "mydir/preset/yours.yaml:3: preset/mine is chosen in a circle"),
        ({"preset/mine.yaml": SPARSE, "placement/sparse.yaml": f"{SCHEMA}min_scal: 3\n"}, PRESET,
         "mydir/placement/sparse.yaml:4: placement.min_scal: no such setting"),
        ({"preset/mine.yaml": SPARSE, "placement/sparse.yaml": f"{SCHEMA}min_visible: 3\n"},
         PRESET, "mydir/placement/sparse.yaml:4: placement.min_visible=3: must be at most 1"),
        # The last file that sets a value decides.
        ({"preset/mine.yaml": f"{YOURS}samples: 0\n", "preset/yours.yaml": f"{GLOBAL}samples: 2\n"},
         PRESET, "mydir/preset/mine.yaml:6: samples=0: must be at least 1"),
        ({"preset/a.yaml": f"{GLOBAL}samples: 2\n", "preset/b.yaml": f"{GLOBAL}samples: 0\n"},
         ("+preset=[a,b]",), "mydir/preset/b.yaml:2: samples=0: must be at least 1"),
        ({"preset/mine.yaml": f"{GLOBAL}samples: 5\n"}, (*PRESET, "samples=0"),
         "samples=0: must be at least 1"),
        ({"preset/mine.yaml": f"{GLOBAL}sampels: 5\n"}, ("+preset=[pairs,mine]",),
         "mydir/preset/mine.yaml:2: sampels: no such setting"),
        # Folders and names.
        ({"preset/sub/mine.yaml": f"{GLOBAL}sampels: 5\n"}, ("+preset/sub=mine",),
         "mydir/preset/sub/mine.yaml:2: sampels: no such setting"),
        ({"preset/my own.yaml": f"{GLOBAL}sampels: 5\n"}, ("+preset=my own",),
         "mydir/preset/my own.yaml:2: sampels: no such setting"),
        ({"presets/mine.yaml": f"{GLOBAL}samples: 5\n"}, PRESET,
         "preset=mine: no such preset; available: depthmaskdataset, depthmaskdataset224, pairs; "
         "mydir/presets/mine.yaml is in another folder: move it to mydir/preset/mine.yaml"),
        ({"mine.yaml": f"{GLOBAL}samples: 5\n"}, PRESET,
         "preset=mine: no such preset; available: depthmaskdataset, depthmaskdataset224, pairs; "
         "mydir/mine.yaml is in another folder: move it to mydir/preset/mine.yaml"),
        *(({f"preset/mine{ending}": f"{GLOBAL}samples: 5\n"}, PRESET,
           "preset=mine: no such preset; available: depthmaskdataset, depthmaskdataset224, pairs; "
           f"mydir/preset/mine{ending} is not read: rename it to mine.yaml")
          for ending in (".yml", ".YAML", "")),
        # No pattern: `*` stands for itself, and `**x` would be none at all.
        ({"preset/a[1].yml": f"{GLOBAL}samples: 5\n"}, ('+preset="a[1]"',),
         "preset=a[1]: no such preset; available: depthmaskdataset, depthmaskdataset224, pairs; "
         "mydir/preset/a[1].yml is not read: rename it to a[1].yaml"),
        ({}, ("+preset=**x",), "preset=**x: no such preset; available: "),
        ({"preset/mine.yaml/x": "a folder"}, PRESET,
         "preset=mine: no such preset; available: depthmaskdataset, depthmaskdataset224, pairs"),
        ({"preset/mine.yaml": f"{GLOBAL}samples: 5\n"}, ("+preset=mien",),
         "preset=mien: no such preset; did you mean preset=mine? Available: depthmaskdataset, "),
        ({"preset/mine.yaml": f"{GLOBAL}samples: 5\n"}, ("preset=mine",),
         "preset=mine: nothing is chosen from preset yet; write +preset=mine"),
        ({"mygroup/mine.yaml": f"{GLOBAL}samples: 5\n"}, ("mygroup=mine",),
         "mygroup=mine: nothing is chosen from mygroup yet; write +mygroup=mine"),
        ({"preset/mine.yaml": f"{GLOBAL}samples: 5\n"}, (*PRESET, "+preset=pairs"),
         "+preset=mine +preset=pairs: choose both by +preset=[mine,pairs]"),
        ({}, (f"+preset={300 * 'x'}",), f"preset={300 * 'x'}: no such preset; available: "),
        ({}, ("seed=-1", f"source.root={300 * 'x'}"), "source.root="),
        # Names that are taken.
        ({"preset/pairs.yaml": f"{GLOBAL}samples: 5\n"}, ("+preset=pairs",),
         "mydir/preset/pairs.yaml: preset=pairs is taken by built-in; rename the file"),
        ({"placement/grid.yaml": SCHEMA}, ("placement=grid",),
         "mydir/placement/grid.yaml: placement=grid is taken by built-in; rename the file"),
        # Labels have places of their own.
        ({"labels/mine.yaml": "defaults: [/schema/labels/coco@_here_, _self_]\n"},
         ("labels=[mine]",), "mydir/labels/mine.yaml:1: labels: a run may have several, so a "
         "preset of one names its place: begin the file with `# @package labels.coco`"),
        # Whole configs.
        ({}, ("--config-name", "nosuch"),
         "--config-name nosuch: no such config; available: config"),
        ({"mine.yml": ""}, ("--config-name", "mine"),
         "--config-name mine: no such config; available: config; mydir/mine.yml is not read: "
         "rename it to mine.yaml"),
        ({"mine.yaml": "samples: 3\n"}, ("--config-name", "mine"),
         "mydir/mine.yaml:1: for the settings of a run, begin it with `defaults: [config, _sel"),
        ({"mine.yaml": "defaults: [config, _self_]\nsampels: 3\n"}, ("--config-name=mine",),
         "mydir/mine.yaml:2: sampels: no such setting; did you mean samples?"),
        ({"mine.yaml": "defaults: [config, _self_]\nsamples: 0\n"}, ("-cn", "mine"),
         "mydir/mine.yaml:2: samples=0: must be at least 1"),
        # Hydra's search path.
        ({"preset/mine.yaml": f"{GLOBAL}hydra:\n  searchpath: [file:///x]\n"}, PRESET,
         "mydir/preset/mine.yaml:3: hydra.searchpath: a file cannot set it; write it on the comm"),
        ({"experiment/mine.yaml": f"{GLOBAL}hydra:\n  sweeper:\n    params: [1]\n"},
         ("+experiment=mine",), "mydir/experiment/mine.yaml:1: a list, a group or a value stands"),
    ],
)  # fmt: skip
def test_several_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str | bytes],
    words: tuple[str, ...],
    line: str,
) -> None:
    write(tmp_path / "mydir", files)
    assert message(tmp_path, monkeypatch, *words).startswith(line)


def test_folders_of_hydra_have_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mydir" / "inner", {"preset/mine.yaml": f"{GLOBAL}sampels: 5\n"})
    said = message(tmp_path, monkeypatch, *PRESET, "hydra.searchpath=[file://mydir/inner]")
    assert said.startswith("mydir/inner/preset/mine.yaml:2: sampels: no such setting")


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mydir", {"preset/mine.yaml": f"{GLOBAL}samples: 5\n"})

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    said = message(tmp_path, monkeypatch, *PRESET)
    assert said == "mydir/preset/mine.yaml: cannot be read (Permission denied)"


@pytest.mark.parametrize(
    ("files", "words", "samples"),
    [
        ({"preset/mine.yaml": ("\ufeff" + GLOBAL + "samples: 7\n").encode()}, PRESET, 7),
        ({"preset/mine.yaml": f"{GLOBAL}# samples: 7\n"}, PRESET, 400),
        ({"preset/mine.yaml": f"{CHOICES}  - override /placement: grid\nsamples: 7\n"}, PRESET, 7),
        ({"preset/mine.yaml": f"{GLOBAL}samples: ${{repeats}}\n"}, PRESET, 20),
        ({"preset/mine.yaml": f"{GLOBAL}seed: &x 7\nsamples: *x\n"},
         PRESET, 7),
        ({"mine.yaml": "defaults: [config]\nsamples: 7\n"}, ("--config-name", "mine"), 7),
        # The folder may be that of another program.
        ({"config.yaml": "version: 2\n", "preset/mine.yaml": f"{GLOBAL}samples: 7\n"}, PRESET, 7),
        ({"preset/my own.yaml": f"{GLOBAL}samples: 7\n",
          "preset/mine.yaml": f"{CHOICES}  - my own\n"}, PRESET, 7),
        ({"preset/mine.yaml": f"{CHOICES}  - _self_\n  - /schema/labels/coco@labels.coco\n"
                              "samples: 7\n"}, PRESET, 7),
        ({"preset/other.yaml": "[", "preset/mine.yaml": f"{GLOBAL}samples: 7\n"}, PRESET, 7),
        # For the user to give.
        ({"preset/mine.yaml": f"{CHOICES}  - override /source: assets\n  - _self_\nsamples: 7\n"
                              "source:\n  root: ???\n"}, (*PRESET, "source.root=x"), 7),
        ({"preset/mine.yaml": f"{CHOICES}  - override /placement: ???\n  - _self_\nsamples: 7\n"},
         (*PRESET, "placement=grid"), 7),
    ],
)  # fmt: skip
def test_what_is_right(
    tmp_path: Path, files: dict[str, str | bytes], words: tuple[str, ...], samples: int
) -> None:
    write(tmp_path, files)
    assert compose_root([*words, "--config-dir", str(tmp_path), *WORDS]).samples == samples


MUTATED: dict[str, str | bytes] = {
    "preset/mine.yaml": f"{CHOICES}  - yours\n  - override /placement: sparse\n  - _self_\n"
    "samples: 5\nsize: [32, 48]\nencode:\n  quality: 80\nplacement:\n  min_scale: 0.3\n"
    "split: {train: 0.8, val: 0.2}\n",
    "preset/yours.yaml": f"{CHOICES}  - override /writer: npz\n  - _self_\nseed: 3\n",
    "placement/sparse.yaml": f"{SCHEMA}max_scale: 0.9\n",
}
CHARACTERS = "\t:[]{}#@&*!|>'\"%`,-?$_ x1.\n/=+~\\\0é"
VALUES_OF_ANY_KIND = ("big", "null", "-1", "[1]", "{a: 1}", "${x}", "???", "99999", "'", "~", "1e9")
OF_LIBRARIES = re.compile(
    r"Error|raised|while (scanning|parsing|constructing)|full_key|object_type|hydra\.cc|DictConfig"
    r"|do not fit|ListConfig|could not|In '|of type|not in '|Merge"
)


def mutation(text: str, rng: random.Random) -> str:
    """The text with one mistake."""
    at, lines = rng.randrange(len(text)), text.split("\n")
    number = rng.randrange(len(lines) - 1)
    match rng.randrange(6):
        case 0:
            return text[:at] + rng.choice(CHARACTERS) + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            lines.pop(number)
        case 3:
            lines.insert(number, rng.choice(lines[:-1]))
        case 4:
            lines[number] = f"  {lines[number]}"
        case _:
            value = rng.choice(VALUES_OF_ANY_KIND)
            lines[number] = re.sub(r":.*", lambda _: f": {value}", lines[number])
    return "\n".join(lines)


def test_mutated_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is right, or has a line of our own that names file and line."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(18)
    lines = []
    for _ in range(150):
        name = rng.choice(list(MUTATED))
        write(Path("mydir"), {**MUTATED, name: mutation(str(MUTATED[name]), rng)})
        try:
            compose_root([*PRESET, "--config-dir", "mydir", *WORDS])
        except UsageError as error:
            lines.append(str(error))
    assert len(lines) > 80
    assert [one for one in lines if not re.match(r"mydir/[\w/]+\.yaml:\d+: [^\n]+$", one)] == []
    assert [one for one in lines if OF_LIBRARIES.search(one)] == []
