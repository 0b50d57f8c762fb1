"""The page says what is in the dataset, of any writer; what others wrote is text and no markup."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections import Counter
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.reading.dataset import open
from depthmask.reports.dataset import collect as collect_module
from depthmask.reports.dataset.collect import collect
from depthmask.reports.dataset.page import report
from depthmask.reports.units import size
from tests.support import tiny


@pytest.fixture(scope="module")
def page(made: Path) -> str:
    return report(open(made))


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = page[page.index(f"<h3>{title}</h3>") :].split("</section>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", section.split("<tbody>")[1], re.DOTALL)
    return [
        [unescape(re.sub(r"<.*?>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", line)]
        for line in lines
    ]


def test_counts_agree_with_the_samples(made: Path) -> None:
    samples = list(open(made))
    found = collect(open(made))
    shown: Counter[str] = Counter()
    for by_split in found.census.backgrounds.values():
        shown += by_split
    assert shown == Counter(sample.meta["background"] for sample in samples)
    layers = [layer for sample in samples for layer in sample.meta["layers"]]
    assert found.census.layers == len(layers) == 120
    assert sum(found.census.foregrounds["val"].values()) == 2 * 30
    assert found.census.visible.total == found.census.placement.sum() == 120
    # All of so few are decoded.
    assert found.pixels.samples == 60
    valid = sum(int(np.count_nonzero(one.depth)) for one in samples if one.depth is not None)
    assert found.pixels.depth.total == valid
    assert found.splits["train"].samples == 30
    assert found.splits["train"].shards == 4
    assert [card.number for card in found.cards] == list(range(60))


def test_progress_adds_up(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_module, "_SAMPLES_PER_ADVANCE", 7)
    told: list[int] = []
    collect(open(made), told.append)
    assert told == [7] * 8


def test_assets_that_no_chosen_sample_shows_get_one(
    made: Path, evil_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect_module, "MOST_CARDS", 1)
    found = collect(open(made))
    assert {key for card in found.cards for key in card.foregrounds} == {
        f"box{number}" for number in range(4)
    }
    assert {card.background for card in found.cards} == {evil_name, "wall1", "wall2"}
    assert len(found.cards) < 8


def test_classes_come_before_assets(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class is in the gallery even where there are more foregrounds than cards."""
    monkeypatch.setattr(collect_module, "MOST_CARDS", 1)
    every = {label for card in collect(open(made)).cards for label in card.labels}
    assert len(every) == 3
    monkeypatch.setattr(collect_module, "_MOST_EXTRA_CARDS", 1)
    assert {label for card in collect(open(made)).cards for label in card.labels} == every


def test_statistics_are_those_of_the_dataset(made: Path, page: str) -> None:
    dataset = open(made)
    table = {row[0]: row[1:] for row in rows(page, "Mean and standard deviation")}
    whole, val = dataset.stats, dataset.split("val").stats
    assert table["red"][:2] == [f"{whole['image'][name][0]:.5f}" for name in ("mean", "std")]
    assert table["depth [m]"][-2:] == [f"{val['depth'][name][0]:.5f}" for name in ("mean", "std")]
    assert list(table) == ["red", "green", "blue", "mask", "depth [m]"]


def test_the_six_kinds(made: Path, evil_assets: Path, page: str) -> None:
    table = {row[0]: row[1:] for row in rows(page, "Kinds of picture")}
    backgrounds = sum(path.stat().st_size for path in (evil_assets / "bg").iterdir())
    assert table["backgrounds"][:3] == ["3", "32x32 RGB", size(backgrounds)]
    assert table["foregrounds"][0] == "4"
    assert table["masks of foregrounds"][3] == "4 are the alpha of their foreground"
    dataset = open(made)
    for kind, member in (
        ("composites", "jpg"),
        ("masks of composites", "mask.png"),
        ("depth maps", "depth.png"),
    ):
        total = sum(len(dataset.encoded(number).members[member]) for number in range(60))
        assert table[kind][0] == "60"
        assert table[kind][2:] == [size(total), member]


def test_licences_are_listed(page: str) -> None:
    assert rows(page, "Licences") == [
        ["backgrounds", "not given", "3"],
        ["foregrounds", "<i>mine</i>", "1"],
        ["foregrounds", "CC0-1.0", "1"],
        ["foregrounds", "not given", "2"],
    ]


def test_classes_are_counted(made: Path, page: str) -> None:
    layers = [layer for sample in open(made) for layer in sample.meta["layers"]]
    counts = Counter(layer["label"] for layer in layers)
    keys = {
        label: {one["foreground"] for one in layers if one["label"] == label} for label in counts
    }
    expected = [[label, f"{len(keys[label])}", f"{counts[label]}"] for label in sorted(counts)]
    assert rows(page, "Classes") == expected
    assert ["foreground", "2", f"{counts['foreground']}"] in expected


def test_the_gallery_can_be_filtered_by_class(page: str) -> None:
    select = page[page.index('data-filter="label"') :].split("</select>")[0]
    assert re.findall(r'<option value="([^"<]*)">', select)[:1] == [""]
    assert '<option value="box">box</option>' in select
    assert page.count('data-label="[') == 60


def test_times_are_those_of_the_records(made: Path, page: str) -> None:
    spent = sum(sum(record.seconds.values()) for record in open(made).records())
    *_, total = rows(page, "Time by station")
    assert total[:2] == ["total", f"{spent:,.2f}"]


def test_the_command_is_there(evil_assets: Path, page: str) -> None:
    command = re.search(r'<pre class="command"><code>(.*?)</code>', page)
    assert command is not None
    words = unescape(command[1])
    assert words.startswith("python -m depthmask source=assets")
    for word in ("samples=60", "split.val=0.5", "encode.labels=coco"):
        assert word in words


def test_everything_is_escaped(page: str) -> None:
    assert "<b id=evil" not in page
    assert page.count("<script") == page.count("</script") == 1
    assert "&lt;b id=evil&gt;" in page
    assert "a &lt;dataset&gt; &amp; more" in page


def test_only_our_script_runs_and_nothing_is_loaded(page: str) -> None:
    policy = re.search(r'"Content-Security-Policy" content="(.*?)"', page)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy is not None
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert set(re.findall(r'(?:src|href)="(\w+:|#)', page)) == {"data:", "#"}


def test_the_same_dataset_gives_the_same_page(made: Path, page: str) -> None:
    assert report(open(made)) == page


@pytest.mark.parametrize(
    "words",
    [
        ["writer=zip", "encode.mask=jpeg", "encode.depth=npz"],
        ["writer=npz", "writer.images=raw", "encode.depth=compact"],
        ["writer=folder", "depth=none", "encode.image=png"],
        ["blend=several", "samples=1", "encode.depth=none"],
    ],
)
def test_reports_of_every_writer(words: list[str], evil_assets: Path, tmp_path: Path) -> None:
    start = tiny.words(evil_assets, tmp_path / "out", "samples=3", "runner.workers=1")
    chosen = {word.partition("=")[0] for word in words}
    assert main([*(one for one in start if one.partition("=")[0] not in chosen), *words]) == 0
    page = report(open(tmp_path / "out"))
    kinds = {row[0]: row[1:] for row in rows(page, "Kinds of picture")}
    dataset = depthmask.open(tmp_path / "out")
    assert kinds["composites"][0] == str(len(dataset))
    has_depth = dataset[0].depth is not None
    assert kinds["depth maps"][0] == (str(len(dataset)) if has_depth else "0")
    assert page.count("<canvas") == (len(dataset) if has_depth else 0)
    if "writer.images=raw" in words:
        assert kinds["composites"][2:] == ["-", "stored as arrays, packed together"]


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "writer=npz", "encode.quality=50"],
        ["convert", "writer=zip", "shard_size=20"],
        ["annotate", "depth=layered", "geometry=source", "depth.relief=false"],
    ],
)
def test_the_command_of_a_converted_dataset(words: list[str], made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([words[0], str(made), *words[1:], f"output={out}"]) == 0
    page = report(open(out))
    command = re.search(r'<pre class="command"><code>(.*?)</code>', page)
    assert command is not None
    again = shlex.split(unescape(command[1]))
    assert again[:5] == ["python", "-m", "depthmask", words[0], str(made)]
    before = (out / "dataset.json").stat().st_mtime_ns
    # It would be refused if it had another plan.
    assert main([*again[3:], f"output={out}"]) == 0
    assert (out / "dataset.json").stat().st_mtime_ns == before
