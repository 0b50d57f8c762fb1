"""Licences of the assets: counted, and named as others name them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import DatasetCard

from depthmask.cli.main import main
from depthmask.reports.card.licences import for_croissant, for_hub, with_own_licence
from tests.support.infos import dataset_info


@pytest.mark.parametrize(
    ("backgrounds", "foregrounds", "hub", "croissant"),
    [
        ({}, {}, {"license": "unknown"}, []),
        (
            {"cc-by-4.0": 3},
            {"CC-BY-4.0": 2},
            {"license": "cc-by-4.0"},
            ["https://spdx.org/licenses/CC-BY-4.0"],
        ),
        (
            {"ODbL-1.0": 3},
            {"CC0-1.0": 2},
            {"license": ["cc0-1.0", "odbl"]},
            ["https://spdx.org/licenses/CC0-1.0", "https://spdx.org/licenses/ODbL-1.0"],
        ),
        (
            {"CC0-1.0": 2},
            {"CC0-1.0": 2},
            {"license": "other", "license_name": "as-listed-in-the-card"},
            ["https://spdx.org/licenses/CC0-1.0"],
        ),
        (
            {"by permission": 3},
            {"MIT": 2},
            {"license": "other", "license_name": "as-listed-in-the-card"},
            ["https://spdx.org/licenses/MIT", "by permission"],
        ),
    ],
)
def test_names(
    backgrounds: dict[str, int],
    foregrounds: dict[str, int],
    hub: dict[str, Any],
    croissant: list[str],
) -> None:
    licences = {"backgrounds": backgrounds, "foregrounds": foregrounds}
    info = dataset_info(backgrounds=3, foregrounds=2, licences=licences)
    assert for_hub(info) == hub
    assert for_croissant(info) == croissant


def test_licences_of_assets_are_in_the_cards(assets_root: Path, tmp_path: Path) -> None:
    table = "key,licence\nroom0,CC-BY-4.0\nroom1,CC-BY-4.0\ncup,my|own\n"
    (assets_root / "assets.csv").write_text(table)
    out = tmp_path / "OUT"
    words = ["source=assets", f"source.root={assets_root}", "size=[24,32]", "runner.workers=1"]
    assert main([*words, "samples=4", "depth=none", f"output={out}"]) == 0
    licences = json.loads((out / "dataset.json").read_text())["licences"]
    assert licences == {"backgrounds": {"CC-BY-4.0": 2}, "foregrounds": {"my|own": 1}}
    assert DatasetCard.load(out / "README.md").data.license == "other"
    text = (out / "README.md").read_text()
    _, _, told = text.partition("## Licences")
    assert [line for line in told.splitlines() if line.startswith(("| back", "| fore"))] == [
        "| backgrounds | CC-BY-4.0 | 2 |",
        "| backgrounds | none given | 1 |",
        r"| foregrounds | my\|own | 1 |",
        "| foregrounds | none given | 1 |",
    ]
    metadata = json.loads((out / "croissant.json").read_text())
    assert metadata["license"] == ["https://spdx.org/licenses/CC-BY-4.0", "my|own"]


def cards(folder: Path) -> tuple[str, list[str], list[str]]:
    """The licence for the hub, that for Croissant, and the rows of the card."""
    rows = [
        line
        for line in (folder / "README.md").read_text().partition("## Licences")[2].splitlines()
        if line.startswith(("| back", "| fore"))
    ]
    licence = json.loads((folder / "croissant.json").read_text()).get("license", [])
    return DatasetCard.load(folder / "README.md").data.license, licence, rows


def test_rooms_have_the_licence_of_depthmask(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    words = ["source.rooms=2", "source.furniture=3", "size=[24,32]", "runner.workers=1"]
    out, converted, annotated = (tmp_path / name for name in ("out", "converted", "annotated"))
    assert main([*words, "samples=4", f"output={out}"]) == 0
    assert main(["convert", str(out), "writer=zip", f"output={converted}"]) == 0
    layered = ["depth=layered", "depth.relief=false", "geometry=source"]
    assert main(["annotate", str(out), *layered, f"output={annotated}"]) == 0
    expected = (
        "cc0-1.0",
        ["https://spdx.org/licenses/CC0-1.0"],
        ["| backgrounds | CC0-1.0 | 2 |", "| foregrounds | CC0-1.0 | 3 |"],
    )
    assert cards(out) == cards(converted) == cards(annotated) == expected
    # dataset.json has the licences of files only.
    licences = json.loads((out / "dataset.json").read_text())["licences"]
    assert licences == {"backgrounds": {}, "foregrounds": {}}
    assert main(["report", str(out)]) == 0
    assert "CC0-1.0" in (out / "report.html").read_text()


def test_a_source_of_a_plugin_has_no_licence_of_depthmask() -> None:
    info = dataset_info(
        backgrounds=3, foregrounds=2, licences={"backgrounds": {}, "foregrounds": {}}
    )
    plan = {"config": {"source": {"stage": "rooms"}}, "versions": {"other": "1.0"}}
    assert for_hub(with_own_licence(info, plan)) == {"license": "cc0-1.0"}
    others: list[dict[str, Any]] = [
        {},
        {"config": {}},
        {"config": {"source": {"stage": "assets"}}},
        {**plan, "packages": {"source=rooms": "other"}},
    ]
    for other in others:
        assert with_own_licence(info, other) == info


def test_a_converted_dataset_keeps_them(assets_root: Path, tmp_path: Path) -> None:
    (assets_root / "assets.csv").write_text("key,licence\nroom0,CC-BY-4.0\ncup,MIT\n")
    words = ["source=assets", f"source.root={assets_root}", "size=[24,32]", "runner.workers=1"]
    assert main([*words, "samples=4", "depth=none", f"output={tmp_path}/OUT"]) == 0
    assert main(["convert", f"{tmp_path}/OUT", "writer=npz", f"output={tmp_path}/OUT2"]) == 0
    licences, text = [], ""
    for name in ("OUT", "OUT2"):
        licences.append(json.loads((tmp_path / name / "dataset.json").read_text())["licences"])
        text = (tmp_path / name / "README.md").read_text()
    assert (
        licences[0] == licences[1] == {"backgrounds": {"CC-BY-4.0": 1}, "foregrounds": {"MIT": 1}}
    )
    assert 'The job was "convert", with writer=npz, from a dataset with the sha256 ' in text
    assert str(tmp_path) not in text, "where it lies on somebody's disk is nobody's business"
