"""`source=coco`: the instances of a COCO file."""

from __future__ import annotations

from depthmask import AssetFolder, setting, stage

from depthmask_coco._coco_file import read_coco
from depthmask_coco._instances import Annotations
from depthmask_coco._json import MOST_BYTES
from depthmask_coco._paths import file_by_itself
from depthmask_coco._source import InstanceSource


@stage("coco")
class Coco(InstanceSource):
    """Objects cut from the photographs of a COCO file, over these photographs or others.

    Polygons and both forms of run lengths are read. Crowd regions are left out and counted, and so
    are objects that the border of their photograph cuts off, and small ones. The rim of each object
    is made soft: alpha and colours follow the photograph. No object is pasted into its own
    photograph, and no photograph is in two splits.

    An annotation or a photograph that cannot be used ends the run; with `on_bad_asset=skip` it is
    left out, and `quarantine` also keeps it in `quarantine/` of the output, with the reason.

    The objects of the chosen categories that are on a photograph already are in the labels, too,
    without what is pasted over them (`background_instances`).
    """

    annotations: str = setting(
        by_content=True, help="the JSON file, such as instances_val2017.json"
    )

    def read_annotations(self, files: AssetFolder) -> Annotations:
        """The instances of the file."""
        path, data, digest = file_by_itself(self.annotations, "annotations", MOST_BYTES)
        annotations = read_coco(path, data)
        annotations.hashes = {path.name: digest}
        return annotations
