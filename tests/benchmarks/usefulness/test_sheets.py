"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.usefulness import sets, sheets
from benchmarks.usefulness.sheets import SHOWN, shown_of
from tests.support.usefulness import people


def test_a_contact_sheet_has_a_picture_of_each_scene() -> None:
    shown = shown_of(people(300))
    assert len({picture.scene for picture in shown}) == len(shown) == SHOWN
    assert all(sets.part_of("people", picture.scene) == sets.CHOOSING for picture in shown)
    assert shown_of(shown) == shown
    few = [picture for picture in shown_of(people(300)) if picture.scene == shown[2].scene]
    assert shown_of(few) == few
    assert shown_of([]) == []


def test_predictions_are_kept_of_what_is_shown(tmp_path: Path) -> None:
    pictures = people(300)
    shown, path = shown_of(pictures), tmp_path / "masks" / "sheet.npz"
    assert sheets.kept(path, shown) is None
    maps = np.arange(300 * 4, dtype=np.float32).reshape(300, 2, 2)
    sheets.keep(path, pictures, maps)
    again = sheets.kept(path, shown)
    assert again is not None
    assert np.array_equal(again, maps[[pictures.index(picture) for picture in shown]])
    assert sheets.kept(path, shown[1:]) is None, "of other photographs"
