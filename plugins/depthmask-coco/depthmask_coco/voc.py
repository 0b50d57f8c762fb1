"""`source=voc`: the objects of Pascal VOC's segmentations."""

from __future__ import annotations

from depthmask import AssetFolder, SettingError, is_one_line, setting, stage

from depthmask_coco._instances import Annotations
from depthmask_coco._paths import folder_of
from depthmask_coco._source import InstanceSource
from depthmask_coco._voc_files import read_voc

_NAMES = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
]


@stage("voc")
class Voc(InstanceSource):
    """Objects cut from the photographs of Pascal VOC, or of a folder of its form.

    The root has the photographs in `JPEGImages/`, the numbers of objects in `SegmentationObject/`
    and those of classes in `SegmentationClass/`, as PNG files of the same names: 0 is background,
    and 255, the line around objects, is neither. For everything else see `source=coco`.
    """

    image_set: str = setting(
        "", help="a list of ImageSets/Segmentation, such as trainval; empty: all"
    )
    names: list[str] = setting(_NAMES, help="the names of the classes, from 1 on")

    def __post_init__(self) -> None:
        if not all(one.strip() and is_one_line(one) for one in self.names):
            raise SettingError("names", self.names, "must be texts of one line, none empty")

    def read_annotations(self, files: AssetFolder) -> Annotations:
        """The objects of all PNG files."""
        root = folder_of(self.root, "root")
        return read_voc(
            files, root, self.image_set, self.names, self.progress, recheck=self.recheck
        )
