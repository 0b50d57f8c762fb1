"""Label stages: in a run, in its files, and carried along by everything that reads datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import depthmask
from depthmask import FinishedSample, LabelCodec, LabelOutput, Labels, setting, stage
from depthmask.cli.main import main
from depthmask.config.command_from_plan import command_from_plan
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registered
from depthmask.errors import DepthmaskError, UsageError
from depthmask.reading.dataset import Dataset
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed

ROOMS = [
    "source.rooms=2", "source.furniture=3", "source.oversample=1", "size=[32,40]", "objects=[1,3]",
    "samples=10", "shard_size=4", "runner.workers=1",
]  # fmt: skip
WRITERS = ("webdataset", "zip", "npz", "folder", "depthmaskdataset")


def make_everything() -> type[Labels]:
    """A class that is in no module, so that only a registered plugin offers it."""

    @stage("everything")
    class Everything(Labels):
        """A label of each codec, and chance."""

        reads_depth = True

        level: int = setting(7, ge=0, le=255, help="grey level")

        def outputs(self, size: Any, contract: Any) -> Sequence[LabelOutput]:
            return [
                LabelOutput("grey", LabelCodec.png, "grey levels", 100),
                LabelOutput("colours", LabelCodec.png, "RGB", 1000),
                LabelOutput("numbers", LabelCodec.png, "16 bits", 1000),
                LabelOutput("flow", LabelCodec.npz, "float32 [h, w, 2]", 10_000),
                LabelOutput("words", LabelCodec.json, "the layers in words", 100),
                LabelOutput("sizes", LabelCodec.layers, "size_px of each layer", 20),
            ]

        def label(self, sample: FinishedSample, rng: np.random.Generator) -> Mapping[str, Any]:
            height, width = sample.size
            layers = sample.composite.layers
            assert sample.depth is not None
            return {
                "grey": np.full((height, width), self.level, np.uint8),
                "colours": sample.composite.image[::2, ::2],
                "numbers": rng.integers(0, 1 << 16, (height, width), dtype=np.uint16),
                "flow": np.stack([sample.depth, -sample.depth], axis=-1),
                "words": {
                    "labels": [layer.label for layer in layers],
                    "drawn": float(rng.random()),
                },
                "sizes": [
                    {"size_px": int(sample.visible(number + 1).sum())}
                    for number in range(len(layers))
                ],
            }

    return Everything


EVERYTHING = make_everything()


@pytest.fixture(scope="module", autouse=True)
def everything() -> Iterator[None]:
    with registered(EVERYTHING):
        yield


def registered(cls: type[Labels]) -> Any:
    table = registry().stages["labels"]
    return patch.dict(table, {cls.name: Registered(cls, Provider("depthmask-every", "1.2"))})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labels") / "made"
    words = ["labels=[instances,coco,everything]", "labels.everything.level=9"]
    assert main([*ROOMS, *words, f"output={out}"]) == 0
    return out


def members(dataset: Dataset) -> list[dict[str, bytes]]:
    return [dataset.encoded(index).members for index in range(len(dataset))]


def same_labels(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def test_labels_are_read_by_name(made: Path) -> None:
    dataset = depthmask.open(made)
    for sample in dataset:
        assert set(sample.labels) == {"instances", "grey", "colours", "numbers", "flow", "words"}
        assert (sample.labels["grey"] == 9).all()
        assert sample.labels["numbers"].dtype == np.uint16
        assert sample.labels["colours"].shape == (16, 20, 3)
        assert np.array_equal(sample.labels["flow"][..., 0], -sample.labels["flow"][..., 1])
        assert sample.instances is sample.labels["instances"]
        for number, layer in enumerate(sample.meta["layers"], start=1):
            assert layer["size_px"] == layer["area"] == (sample.instances == number).sum()
    assert list(dataset.encoded(0).members) == [
        "jpg", "mask.png", "instances.png", "depth.png", "colours.png", "flow.npz", "grey.png",
        "numbers.png", "words.json", "json",
    ]  # fmt: skip


def test_virtual_labels_are_those_of_a_run(made: Path) -> None:
    words = ["labels=[everything,coco,instances]", "labels.everything.level=9", "encode.depth=npz"]
    for sample, written in zip(
        depthmask.virtual([*ROOMS, *words]), depthmask.open(made), strict=True
    ):
        assert same_labels({**sample.labels, "flow": 0}, {**written.labels, "flow": 0})
        assert sample.meta == written.meta


def test_the_plan_and_the_dataset_say_which_labels_there_are(made: Path) -> None:
    plan = read_sealed(location(made) / "plan.json")
    assert plan is not None
    assert plan["config"]["labels"] == {
        "coco": {"stage": "coco"},
        "everything": {"stage": "everything", "level": 9},
        "instances": {"stage": "instances"},
    }
    assert plan["versions"]["depthmask-every"] == "1.2"
    command = command_from_plan(plan)
    assert command is not None
    assert "'labels=[coco,everything,instances]' labels.everything.level=9" in command
    (_, mine, _) = depthmask.open(made).metadata.labels
    assert (mine.stage, dict(mine.settings), mine.reads_depth) == ("everything", {"level": 9}, True)
    assert ("flow", "flow.npz") in [(one.name, one.member) for one in mine.outputs]
    assert ("sizes", None) in [(one.name, one.member) for one in mine.outputs]


def test_the_order_of_the_list_makes_no_other_dataset(made: Path, tmp_path: Path) -> None:
    words = ["labels=[everything,coco,instances]", "labels.everything.level=9"]
    assert main([*ROOMS, *words, f"output={tmp_path}"]) == 0
    one, other = depthmask.open(made).info, depthmask.open(tmp_path).info
    assert one["fingerprint"] == other["fingerprint"]
    assert one["manifest_sha256"] == other["manifest_sha256"]


def test_the_old_settings_are_short_for_the_list(tmp_path: Path) -> None:
    old = [*ROOMS, "encode.labels=coco", "encode.instances=png", f"output={tmp_path / 'old'}"]
    new = [*ROOMS, "labels=[coco,instances]", f"output={tmp_path / 'new'}"]
    both = [*ROOMS, "labels=[coco]", "encode.instances=png", f"output={tmp_path / 'both'}"]
    datasets = []
    for words in (old, new, both):
        assert main(words) == 0
        datasets.append(depthmask.open(words[-1].partition("=")[2]))
    for one in datasets[1:]:
        assert members(one) == members(datasets[0])
        assert (one.path / "coco_train.json").read_bytes() == (
            datasets[0].path / "coco_train.json"
        ).read_bytes()
    # A plan without labels is that of a version that did not have them.
    plan = read_sealed(datasets[0].path / "plan.json")
    assert plan is not None
    assert "labels" not in plan["config"]
    assert "labels" not in datasets[0].info


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_carries_labels_there_and_back(
    made: Path, tmp_path: Path, writer: str
) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    with patch.dict(registry().stages["labels"]):
        # The plugin that made the labels is not needed to carry them.
        del registry().stages["labels"]["everything"]
        for source, out, into in ((made, there, writer), (there, back, "webdataset")):
            words = [f"writer={into}", f"output={out}", "runner.workers=1"]
            assert main(["convert", str(source), *words]) == 0
        for one, other in zip(depthmask.open(made), depthmask.open(there), strict=True):
            assert same_labels(one.labels, other.labels)
        assert members(depthmask.open(back)) == members(depthmask.open(made))
        assert depthmask.open(back).metadata.labels == depthmask.open(made).metadata.labels
        assert (back / "coco_train.json").read_bytes() == (made / "coco_train.json").read_bytes()
        assert main(["report", str(back)]) == 0


def test_card_croissant_and_report_describe_labels(made: Path) -> None:
    card = (made / "README.md").read_text()
    assert "| flow | `KEY.flow.npz` | float32 \\[h, w, 2\\] |" in card
    assert "labels=[coco,everything,instances]" in card.replace("\\", "")
    croissant = json.loads((made / "croissant.json").read_text())
    fields = {
        field["name"]: field["description"]
        for record_set in croissant["recordSet"]
        for field in record_set["field"]
    }
    assert fields["words"] == "the layers in words"
    assert fields["grey"] == "grey levels"
    assert main(["report", str(made)]) == 0
    page = (made / "report.html").read_text()
    assert '<td class="left">size_px of each layer</td>' in page
    assert 'alt="Label numbers of sample 0"' in page


def test_convert_leaves_labels_out(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["convert", str(made), "labels=[]", f"output={out}", "runner.workers=1"]) == 0
    assert "the label flow is left out" in capsys.readouterr().err
    dataset = depthmask.open(out)
    assert dataset[0].labels == {}
    assert "size_px" in dataset[0].meta["layers"][0]
    kept = [output.name for label in dataset.metadata.labels for output in label.outputs]
    assert kept == ["coco", "sizes"]
    plan = read_sealed(dataset.path / "plan.json")
    assert plan is not None
    assert "'labels=[]'" in str(command_from_plan(plan))
    assert main(["convert", str(made), "labels=[coco]", f"output={tmp_path / 'two'}"]) == 2
    assert "labels=[coco]: cannot be added to existing samples" in capsys.readouterr().err


def test_annotate_leaves_out_labels_of_the_earlier_depth(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["depth=layered", "geometry=source", f"output={out}", "runner.workers=1"]
    assert main(["annotate", str(made), *words]) == 0
    assert set(depthmask.open(out)[0].labels) == {"instances"}
    said = capsys.readouterr().err
    assert "the label flow is left out" in said
    assert "the values of the label sizes are those of the earlier depth" in said


def test_render_shows_the_labels(made: Path, tmp_path: Path) -> None:
    assert main(["render", str(made), "--index", "6", "--into", str(tmp_path)]) == 0
    for name, data in depthmask.open(made).encoded(6).members.items():
        assert (tmp_path / f"000000006.{name}").read_bytes() == data


def test_a_damaged_shard_is_repaired_with_its_labels(made: Path, tmp_path: Path) -> None:
    before = depthmask.open(made).info["manifest_sha256"]
    shard = made / "shards" / "train-000001.tar"
    shard.unlink()
    assert main(["verify", str(made), "--repair"]) == 0
    assert depthmask.open(made).info["manifest_sha256"] == before
    assert shard.is_file()


def wrong(name: str, value: Any, **outputs: LabelCodec) -> type[Labels]:
    """A stage that returns `value`."""

    @stage(name)
    class Wrong(Labels):
        """Errs."""

        def outputs(self, size: Any, contract: Any) -> Sequence[LabelOutput]:
            return [LabelOutput(key, codec, "x", 1) for key, codec in outputs.items()]

        def label(self, sample: FinishedSample, rng: np.random.Generator) -> Any:
            return value(sample) if callable(value) else value

    return Wrong


PNG, NPZ, JSON, LAYERS = LabelCodec


@pytest.mark.parametrize(
    ("value", "outputs", "words"),
    [
        (
            None,
            {"a": PNG},
            r"labels=wrong \(depthmask-every 1\.2\): label returned None; expected a mapping",
        ),
        ({"b": 1}, {"a": JSON}, r"label returned \['b'\]; expected \['a'\], as declared"),
        ({"a": None}, {"a": PNG}, "a: NoneType; codec png stores an array"),
        ({"a": np.zeros((3, 4))}, {"a": PNG}, r"a: float64 \[3, 4\]; codec png stores"),
        ({"a": np.zeros((3, 4), bool)}, {"a": PNG}, r"a: bool \[3, 4\]"),
        ({"a": np.zeros((0, 4), np.uint8)}, {"a": PNG}, r"a: uint8 \[0, 4\]"),
        ({"a": np.array(["x"])}, {"a": NPZ}, "codec npz stores an array of integers or floats"),
        ({"a": {1, 2}}, {"a": JSON}, "a: no JSON value"),
        ({"a": [float("nan")]}, {"a": JSON}, "a: no JSON value: Out of range float"),
        (
            lambda sample: {"a": [{"meta": 1}] * len(sample.composite.layers)},
            {"a": LAYERS},
            "'meta' is taken in the JSON of a layer",
        ),
        ({"a": []}, {"a": LAYERS}, "expected a list with a mapping for each layer"),
        (
            lambda sample: {"a": [{"box": 1}] * len(sample.composite.layers)},
            {"a": LAYERS},
            "'box' is taken in the JSON of a layer",
        ),
        (
            lambda sample: {"a": [{"iscrowd": 1}] * len(sample.composite.layers)},
            {"a": LAYERS},
            "'iscrowd' is taken in the JSON of a layer",
        ),
    ],
)
def test_a_wrong_label_is_named(value: Any, outputs: Any, words: str) -> None:
    with (
        registered(wrong("wrong", value, **outputs)),
        pytest.raises(DepthmaskError, match=words),
    ):
        _ = depthmask.virtual([*ROOMS, "labels=[wrong]"])[0]


def test_two_stages_cannot_give_one_label() -> None:
    copy = wrong("copy", {}, instances=PNG)
    with registered(copy), pytest.raises(UsageError, match="both give a label 'instances'"):
        depthmask.virtual([*ROOMS, "labels=[copy,instances]"])


@pytest.mark.parametrize("name", ["image", "depth", "json", "a b", "A", "", "a.b", "jpg"])
def test_names_that_no_label_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a label"):
        LabelOutput(name, PNG, "x", 1)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("labels=[cooc]", "no such labels; did you mean labels=coco?"),
        ("labels.coco.size=3", "coco is not chosen; add it by labels=[coco]"),
        ("labels.cooc.size=3", "labels=cooc: no such labels; did you mean labels=coco?"),
        ("labels=coco,instances", "labels=[coco,instances] chooses all of them"),
        ("labels=[null]", "labels=[null]: choose by name, as in labels=[NAME,NAME] or []"),
        ("labels=null", "labels=null: choose by name, as in labels=[NAME,NAME] or []"),
        ("labels=3", "labels=3: choose by name"),
        ("labels=[[coco]]", "choose by a list of names"),
        ("placement=null", "placement=null: choose by name, as in placement=NAME"),
        ("labels.everything.level=300", "must be at most 255"),
    ],
)
def test_errors_on_the_command_line(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["labels=[everything]"] if "everything" in word else []
    assert main([*ROOMS, *words, word]) == 2
    assert said in capsys.readouterr().err


def test_a_sweep_over_lists(tmp_path: Path) -> None:
    words = ["-m", *ROOMS, "labels=[coco],[instances],[]", f"output={tmp_path}"]
    assert main(words) == 0
    datasets = [depthmask.open(path) for path in tmp_path.glob("rooms-*")]
    labels = sorted(",".join(label.stage for label in one.metadata.labels) for one in datasets)
    assert labels == ["", "coco", "instances"]


def test_one_stage_cannot_declare_a_name_twice() -> None:
    @stage("twice")
    class Twice(Labels):
        """Errs."""

        def outputs(self, size: Any, contract: Any) -> Sequence[LabelOutput]:
            return [LabelOutput("a", PNG, "x", 1), LabelOutput("a", JSON, "x", 1)]

        def label(self, sample: FinishedSample, rng: np.random.Generator) -> Any:
            return {}

    with registered(Twice), pytest.raises(DepthmaskError, match="two labels of one name"):
        depthmask.virtual([*ROOMS, "labels=[twice]"])


@pytest.mark.parametrize("number", [0, -1, 99])
@pytest.mark.parametrize("mask", ["visible", "amodal"])
def test_a_number_that_no_layer_has(mask: str, number: int) -> None:
    broken = wrong("wrong", lambda sample: getattr(sample, mask)(number), a=PNG)
    # No IndexError, which would end a loop over the samples without a word.
    said = r"labels=wrong \(depthmask-every 1\.2\): IndexError: .* layers are numbered from 1 to"
    with registered(broken), pytest.raises(DepthmaskError, match=said):
        _ = depthmask.virtual([*ROOMS, "labels=[wrong]"])[0]
