"""Photographs and annotations that the tests make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

HEIGHT, WIDTH = 96, 128
LICENCES = [
    {"id": 1, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"},
    {"id": 2, "name": "of my own", "url": ""},
]
CATEGORIES = [{"id": 1, "name": "disk"}, {"id": 7, "name": "star"}, {"id": 9, "name": "box"}]
COLOURS = {1: (220, 40, 40), 7: (240, 220, 60), 9: (40, 60, 210)}


def disk(x: float, y: float, radius: float, corners: int = 24) -> list[float]:
    """A polygon in COCO's form."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1)
    return [round(float(one), 2) for one in points.ravel()]


def star(x: float, y: float, radius: float) -> list[float]:
    turns = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, radius / 2, radius)
    points = np.stack([x + radii * np.cos(turns), y + radii * np.sin(turns)], 1)
    return [round(float(one), 2) for one in points.ravel()]


def filled(polygons: list[list[float]]) -> np.ndarray[Any, Any]:
    """The mask of polygons by pycocotools, uint8 [h, w]."""
    return np.asarray(
        coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, HEIGHT, WIDTH)))
    )


def mask_at(polygons: list[list[float]], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """As `filled`, on a photograph of another size."""
    return np.asarray(coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, *size))))


def away_from_edges(values: np.ndarray[Any, Any], pixels: int) -> np.ndarray[Any, Any]:
    """Bool [h, w]: where all values within so many pixels are the same."""
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.erode(values, kernel) == cv2.dilate(values, kernel))


def annotation(
    number: int, image: int, category: int, polygons: list[list[float]]
) -> dict[str, Any]:
    xs = [x for one in polygons for x in one[0::2]]
    ys = [y for one in polygons for y in one[1::2]]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "iscrowd": 0,
        "segmentation": polygons,
        "bbox": [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)],
        "area": float(filled(polygons).sum()),
    }


def compressed(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(mask))
    return {"size": [int(one) for one in rle["size"]], "counts": rle["counts"].decode()}


def uncompressed(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return {"size": list(mask.shape), "counts": runs if flat[0] == 0 else [0, *runs]}


def content(images: int = 4) -> dict[str, Any]:
    """A disk as polygons, a star as RLE, a box as uncompressed RLE, and a crowd, on each image."""
    file: dict[str, Any] = {
        "licenses": LICENCES,
        "categories": CATEGORIES,
        "images": [],
        "annotations": [],
    }
    for number in range(1, images + 1):
        file["images"].append(
            {"id": number, "file_name": f"{number:012d}.jpg", "height": HEIGHT, "width": WIDTH,
             "license": 1 + number % 2}
        )  # fmt: skip
        first = 100 * number
        shift = number % 5
        one = annotation(first, number, 1, [disk(30 + shift, 30, 18), disk(30 + shift, 60, 10)])
        two = annotation(first + 1, number, 7, [star(90, 34 + shift, 24)])
        two["segmentation"] = compressed(filled(two["segmentation"]))
        three = annotation(first + 2, number, 9, [[60, 62, 110, 62, 110, 90, 60, 90]])
        three["segmentation"] = uncompressed(filled(three["segmentation"]))
        four = annotation(first + 3, number, 1, [[0, 0, 40, 0, 40, 9, 0, 9]])
        four["segmentation"] = uncompressed(filled(four["segmentation"]))
        four["iscrowd"] = 1
        file["annotations"] += [one, two, three, four]
    return file


def mask_of(entry: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The mask of an annotation by pycocotools."""
    shape = entry["segmentation"]
    if isinstance(shape, list):
        return filled(shape)
    if isinstance(shape["counts"], list):
        shape = coco_mask.frPyObjects(shape, *shape["size"])
    return np.asarray(coco_mask.decode(shape))


def photograph(number: int, entries: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Noise, smooth as photographs are, with the objects in their colours."""
    rng = np.random.default_rng(number)
    small = Image.fromarray(rng.integers(60, 200, (12, 16, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).copy()
    for entry in entries:
        if not entry["iscrowd"]:
            pixels[mask_of(entry) == 1] = COLOURS[entry["category_id"]]
    return pixels


def make_coco(folder: Path, images: int = 4) -> tuple[Path, Path]:
    """The folder of the photographs and the file with annotations."""
    file, pictures = content(images), folder / "pictures"
    pictures.mkdir(parents=True)
    for image in file["images"]:
        entries = [one for one in file["annotations"] if one["image_id"] == image["id"]]
        Image.fromarray(photograph(image["id"], entries)).save(
            pictures / image["file_name"], quality=95
        )
    path = folder / "instances.json"
    path.write_text(json.dumps(file))
    return pictures, path


def make_yolo(folder: Path, images: int = 4) -> Path:
    """The disks and stars of the same photographs as a dataset for YOLO; the root."""
    file = content(images)
    for part, numbers in (("train", range(1, images)), ("val", range(images, images + 1))):
        (folder / "images" / part).mkdir(parents=True)
        (folder / "labels" / part).mkdir(parents=True)
        for number in numbers:
            entries = [one for one in file["annotations"] if one["image_id"] == number]
            path = folder / "images" / part / f"{number}.jpg"
            Image.fromarray(photograph(number, entries)).save(path, quality=95)
            lines = [
                " ".join([str(kind), *(f"{one:.6f}" for one in _shares(polygon))])
                for kind, polygon in enumerate(yolo_polygons(number))
            ]
            (folder / "labels" / part / f"{number}.txt").write_text("\n".join(lines) + "\n")
    (folder / "data.yaml").write_text(
        "path: /nowhere\ntrain: images/train\nval: ../images/val\nnames:\n  0: disk\n  1: star\n"
    )
    return folder


def yolo_polygons(number: int) -> list[list[float]]:
    shift = number % 5
    return [disk(30 + shift, 30, 18), star(90, 34 + shift, 24)]


def _shares(polygon: list[float]) -> list[float]:
    sides = (WIDTH, HEIGHT)
    return [one / sides[number % 2] for number, one in enumerate(polygon)]


def make_voc(folder: Path, images: int = 3) -> Path:
    """The same photographs in the form of Pascal VOC; the root. Disks are cats, stars birds."""
    for name in ("JPEGImages", "SegmentationObject", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    file = content(images)
    for number in range(1, images + 1):
        entries = [one for one in file["annotations"] if one["image_id"] == number]
        picture = photograph(number, entries)
        Image.fromarray(picture).save(folder / "JPEGImages" / f"{number}.jpg", quality=95)
        objects, classes = voc_values(number)
        for name, values in (("SegmentationObject", objects), ("SegmentationClass", classes)):
            image = Image.fromarray(values).convert("P")
            image = Image.frombytes("P", image.size, values.tobytes())
            image.putpalette([one for value in range(256) for one in (value, 255 - value, 7)])
            image.save(folder / name / f"{number}.png")
    names = "".join(f"{number}\n" for number in range(1, images))
    (folder / "ImageSets/Segmentation/train.txt").write_text(names)
    return folder


def voc_values(number: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The numbers of objects and of classes, with a line of void at the edge of the star."""
    objects = np.zeros((HEIGHT, WIDTH), np.uint8)
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    one, two = (filled([polygon]) == 1 for polygon in yolo_polygons(number))
    objects[one], classes[one] = 1, 8
    objects[two], classes[two] = 2, 3
    edge = two & ~np.roll(two, 1, axis=1)
    objects[edge] = classes[edge] = 255
    return objects, classes
