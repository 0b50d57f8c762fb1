"""`source=yolo`: the polygons of a dataset for YOLO segmentation."""

from __future__ import annotations

from depthmask import AssetFolder, SettingError, setting, stage

from depthmask_coco._instances import Annotations
from depthmask_coco._paths import folder_of
from depthmask_coco._source import InstanceSource
from depthmask_coco._yolo_files import read_yolo

_PARTS = ("train", "val", "test")


@stage("yolo")
class Yolo(InstanceSource):
    """Objects cut from the photographs of a dataset for YOLO segmentation.

    `data.yaml` in the root names the classes and the folders of the photographs, or lists of them;
    a photograph `images/train/a.jpg` has its polygons in `labels/train/a.txt`. All paths are read
    as below the root; `path` is not used. For everything else see `source=coco`.
    """

    data: str = setting("data.yaml", help="the YAML file below the root")
    parts: list[str] = setting(["train"], help="which of train, val and test to use")

    def __post_init__(self) -> None:
        if not self.parts or not set(self.parts) <= {*_PARTS}:
            raise SettingError("parts", self.parts, f"must be some of {', '.join(_PARTS)}")

    def read_annotations(self, files: AssetFolder) -> Annotations:
        """The polygons of all text files."""
        return read_yolo(files, folder_of(self.root, "root"), self.data, self.parts)
