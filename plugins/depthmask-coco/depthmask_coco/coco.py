"""`source=coco`: the instances of a COCO file."""

from __future__ import annotations

from contextlib import nullcontext

from depthmask import AssetError, AssetFolder, setting, stage

from depthmask_coco._coco_file import read_coco
from depthmask_coco._instances import Annotations
from depthmask_coco._json import MOST_BYTES
from depthmask_coco._kept_annotations import as_plain, from_plain
from depthmask_coco._paths import file_of
from depthmask_coco._source import InstanceSource

_LOOK = "coco 1"
"""Names what is kept of a file; another number makes later runs read it again."""


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
        """The instances of the file, which is read once: the asset store keeps what it says."""
        path = file_of(self.annotations, "annotations")
        real = path.resolve()
        folder = AssetFolder(real.parent)
        one = folder.look(
            [real.name],
            lambda _, data: as_plain(read_coco(path, data)),
            f"{_LOOK} {real.name}",
            lambda _: nullcontext(lambda _: None),
            recheck=self.recheck,
            most_bytes=MOST_BYTES,
        )[real.name]
        if one.fault:
            raise AssetError(real, one.fault)
        plain = one.facts
        read = from_plain(path, plain) if plain else read_coco(path, folder.read(real.name))
        read.hashes = {path.name: folder.hashes[real.name]}
        return read
