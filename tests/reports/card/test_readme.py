"""The card: a header that the hub takes, foreign text as text, the same bytes each time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData

from depthmask.cli.main import main
from depthmask.reports.card.readme import _main_settings, _printable, _size_category, plain


def header(out: Path) -> dict[str, Any]:
    """As `huggingface_hub` reads it; its fields have to be those that it knows."""
    data = DatasetCard.load(out / "README.md").data
    assert isinstance(data, DatasetCardData)
    found: dict[str, Any] = data.to_dict()  # type: ignore[no-untyped-call]
    known = set(vars(DatasetCardData()))
    assert found.keys() - known == {"tags", "configs"}, "the hub's own, beyond those of the class"
    return found


def test_header(make_dataset: Callable[..., Path]) -> None:
    out = make_dataset("source.rooms=4", "source.furniture=4", "split.train=0.5", "split.val=0.5")
    assert header(out) == {
        "license": "cc0-1.0",
        "pretty_name": "OUT",
        "annotations_creators": ["machine-generated"],
        "task_categories": ["depth-estimation", "image-segmentation"],
        "size_categories": ["n<1K"],
        "tags": ["depth estimation", "image segmentation", "synthetic data", "depthmask"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "shards/train-*.tar"},
                    {"split": "val", "path": "shards/val-*.tar"},
                ],
            }
        ],
    }


def test_the_chosen_stages_are_listed(make_dataset: Callable[..., Path]) -> None:
    text = (make_dataset("seed=7") / "README.md").read_text()
    assert (
        'The job was "generate", with source=rooms, geometry=auto, placement=random, blend=alpha, '
        "depth=layered, writer=webdataset, seed=7.\n" in text
    )


def test_without_depth(make_dataset: Callable[..., Path]) -> None:
    for words in (["depth=none"], ["encode.depth=none"]):
        out = make_dataset(*words, name="with" + words[0][:5])
        assert header(out)["task_categories"] == ["image-segmentation"]
        assert "There are no depth maps." in (out / "README.md").read_text()


def test_the_card_says_where_files_hold_millimetres(make_dataset: Callable[..., Path]) -> None:
    """The contract is in metres, and other programs read the integers as they are."""
    row = "| stored as | millimetres, 16-bit integers: divide by 1000 |"
    for words, is_said in ((["samples=1"], True), (["samples=1", "encode.depth=npz"], False)):
        out = make_dataset(*words, name=words[-1][-5:])
        assert (row in (out / "README.md").read_text()) == is_said
        croissant = (out / "croissant.json").read_text()
        assert ("depth in millimetres, 0 = invalid" in croissant) == is_said


def test_formats_that_datasets_cannot_load_get_no_config(make_dataset: Callable[..., Path]) -> None:
    text = (make_dataset("writer=npz") / "README.md").read_text()
    assert "configs:" not in text
    assert "load_dataset" not in text
    assert "mlcroissant" not in text


def test_the_same_dataset_gives_the_same_cards(make_dataset: Callable[..., Path]) -> None:
    out = make_dataset()
    before = {name: (out / name).read_bytes() for name in ("README.md", "croissant.json")}
    (out / "dataset.json").unlink()
    make_dataset()
    assert {name: (out / name).read_bytes() for name in before} == before
    assert main(["verify", str(out)]) == 0


def test_a_hostile_name_is_text(tmp_path: Path) -> None:
    out = tmp_path / "a: [b]\n---\n<script> *x* \udcff"
    words = ["source.rooms=1", "source.furniture=1", "samples=1", "depth=none", f"output='{out}'"]
    # By another process: what it says names the folder, which is no UTF-8, and pytest's processes
    # could not hand it to each other.
    subprocess.run([sys.executable, "-m", "depthmask", *words], check=True, capture_output=True)
    text = (out / "README.md").read_text()
    parts = text.split("\n---\n")
    assert len(parts) == 2
    assert yaml.safe_load(parts[0].removeprefix("---\n"))["pretty_name"] == (
        "a: [b]\n---\n<script> *x* \\xff"
    )
    assert "# a: \\[b\\] --- \\<script\\> \\*x\\* \\\\xff\n" in parts[1]
    assert "<script>" not in parts[1].replace("\\<script", "")


def test_hostile_names_of_stages_are_text() -> None:
    config = {"source": {"stage": "a\x1b"}, "labels": {"x\n# b": {}, "coco": {}}, "seed": "`c`"}
    assert list(_main_settings(config)) == [
        r"source=a\\x1b",
        r"labels=[x \# b,coco]",
        r"seed=\`c\`",
    ]


def test_plain_text() -> None:
    assert plain("a_b | `c`\n# d") == r"a\_b \| \`c\` \# d"
    assert plain("CC-BY-4.0 (https://x.org)") == "CC-BY-4.0 (https://x.org)"


@pytest.mark.parametrize(
    ("samples", "category"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (400_000, "100K<n<1M"), (10**12, "n>1T")],
)
def test_size_categories(samples: int, category: str) -> None:
    assert _size_category(samples) == category


def test_a_command_with_any_space_is_shown() -> None:
    """As in the names of macOS's screenshots; what acts and is not seen is none."""
    command = "depthmask source.root='9.41\u202fAM'"
    assert _printable(command) == command
    for text in ("a\u202eb", "a\nb", "a\x1bb", "a```b", "", None):
        assert _printable(text) is None
