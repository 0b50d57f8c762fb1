"""Pictures that a table describes, with its facts as metadata: `source=rows`.

Each line of `rows.jsonl` is an object: `key`, `kind` (`background` or `foreground`), `file` (a PNG
beside the table), and whatever else its owner knows, such as `caption` and `keypoints`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from depthmask import (
    AssetCatalogue,
    Background,
    Foreground,
    LeftOut,
    Size,
    Source,
    move_keypoints,
    setting,
    stage,
)

_COLUMNS = ("key", "kind", "file")


@stage("rows")
class Rows(Source):
    """The pictures of a table, in whatever size they have.

    Rows without a picture are left out, and kept in `quarantine/`.
    """

    root: str = setting(help="the folder with rows.jsonl")
    height: float = setting(0.5, gt=0, le=1, help="height of cut-outs, relative to the canvas")

    def backgrounds(self) -> Sequence[str]:
        return self._keys("background")

    def foregrounds(self) -> Sequence[str]:
        return self._keys("foreground")

    def background(self, key: str, size: Size) -> Background:
        with Image.open(self._path(key)) as picture:
            image = picture.convert("RGB").resize((size[1], size[0]))
        meta = {name: value for name, value in self._rows[key].items() if name not in _COLUMNS}
        return Background(key, np.asarray(image), meta=meta)

    def foreground(self, key: str, size: Size) -> Foreground:
        """A cut-out of `height`; its keypoints move along from the file's pixels."""
        with Image.open(self._path(key)) as picture:
            rgba = picture.convert("RGBA")
        scale = size[0] * self.height / rgba.height
        target = (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale)))
        meta = {name: value for name, value in self._rows[key].items() if name not in _COLUMNS}
        moved = move_keypoints(
            meta, scale=(target[1] / rgba.height, target[0] / rgba.width), shift=(0, 0)
        )
        return Foreground(
            key, meta.get("label", "row"), np.asarray(rgba.resize(target)), meta=moved
        )

    def check(self, size: Size) -> AssetCatalogue:
        left_out, digest = [], hashlib.sha256((Path(self.root) / "rows.jsonl").read_bytes())
        for key in sorted(self._rows):
            if self._path(key).is_file():
                digest.update(self._path(key).read_bytes())
            else:
                # A key may be any text, and no file name.
                name = f"rows/{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
                row = json.dumps(self._rows[key]).encode()
                left_out.append(
                    LeftOut(f"rows.jsonl: {key}", "its picture is missing", contents={name: row})
                )
        return AssetCatalogue(
            digest.hexdigest(),
            tuple(left_out),
            backgrounds=tuple(self.backgrounds()),
            foregrounds=tuple(self.foregrounds()),
        )

    def _keys(self, kind: str) -> list[str]:
        return [
            key
            for key, row in sorted(self._rows.items())
            if row["kind"] == kind and self._path(key).is_file()
        ]

    def _path(self, key: str) -> Path:
        return Path(self.root) / str(self._rows[key]["file"])

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[str, Any]]:
        lines = (Path(self.root) / "rows.jsonl").read_text(encoding="utf-8").splitlines()
        return {row["key"]: row for row in map(json.loads, lines)}
