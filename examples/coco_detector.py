"""Make a dataset for a detector from a COCO file, and read it as detectors do.

pip install ./plugins/depthmask-coco
python examples/coco_detector.py PHOTOS instances.json OUT --backgrounds OTHERS --samples 1000
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import depthmask


class Target(NamedTuple):
    """What a detector learns from an image.

    image: uint8 [h, w, 3]. boxes: float32 [n, 4] of left, top, right, bottom in pixels.
    labels: int64 [n], the numbers of the classes, 0 for none.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]


class Detections:
    """The samples of a split as `Target`, for any `DataLoader`."""

    def __init__(self, output: str, split: str) -> None:
        """output: folder of a dataset with `labels=[coco]`."""
        content = json.loads(Path(output, f"coco_{split}.json").read_text(encoding="utf-8"))
        self._samples = depthmask.open(output).split(split)
        self._annotations: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for one in content["annotations"]:
            self._annotations[one["image_id"]].append(one)
        self.classes: dict[int, str] = {one["id"]: one["name"] for one in content["categories"]}

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, rank: int) -> Target:
        sample = self._samples[rank]
        annotations = self._annotations[sample.meta["index"]]
        boxes = np.array([one["bbox"] for one in annotations], np.float32).reshape(-1, 4)
        # COCO's boxes are left, top, width, height.
        boxes[:, 2:] += boxes[:, :2]
        labels = np.array([one["category_id"] for one in annotations], np.int64)
        return Target(sample.image, boxes, labels)


def main() -> None:
    """Read the command line, make the dataset, and print the objects of each split by class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", help="folder of the photographs")
    parser.add_argument("annotations", help="COCO file with instances")
    parser.add_argument("output", help="folder of the dataset")
    parser.add_argument("--backgrounds", default="", help="folder of pictures without objects")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("settings", nargs="*", help="more settings, such as objects=[1,5]")
    options = parser.parse_intermixed_args()

    words = [
        *("source=coco", f"source.root={options.photographs}"),
        *(f"source.annotations={options.annotations}", "labels=[coco]", "depth=none"),
        *(f"samples={options.samples}", "split.train=0.8", "split.val=0.2"),
    ]
    if options.backgrounds:
        words.append(f"source.backgrounds_root={options.backgrounds}")
    depthmask.make([*words, *options.settings], output=options.output)
    for split in ("train", "val"):
        detections = Detections(options.output, split)
        targets = (detections[rank] for rank in range(len(detections)))
        counts = Counter(one for target in targets for one in target.labels.tolist())
        named = ", ".join(f"{count} {detections.classes[one]}" for one, count in counts.items())
        print(f"{split}: {len(detections)} images with {named}")


if __name__ == "__main__":
    main()
