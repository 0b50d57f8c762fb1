"""Cut-outs from the files of `fg/`, with the alpha of their own or that of a mask in `fg_mask/`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from depthmask.stages.source import _colours as colours
from depthmask.stages.source import _images as images
from depthmask.stages.source._alpha import require_visible
from depthmask.stages.source._folder import AssetError, shown
from depthmask.stages.source._masks import load_mask
from depthmask.stages.source._names import cut_out_of_mask, meant_for, picture_meant
from depthmask.stages.source._root_files import RootFiles
from depthmask.untrusted import other_accents


class NoMaskError(AssetError):
    """A cut-out has neither transparency nor a mask."""


def read_cut_out(files: RootFiles, key: str) -> tuple[Image.Image, bool]:
    """The cut-out, and whether the alpha is its own; if not, it is its mask."""
    path = files.required("fg")[key]
    picture = colours.load_picture(path, files.read(path))
    rgba = images.to_rgba(picture)
    if rgba is None:
        return images.with_alpha(picture, _mask(files, path, picture)), False
    require_visible(path, rgba.getchannel("A"))
    return rgba, True


def _mask(files: RootFiles, path: Path, picture: Image.Image) -> Image.Image:
    """The mask of a cut-out as alpha.

    Raises `AssetError` if it is missing, has another size, or is not the shape of one object.
    """
    mask_path = files.of("fg_mask").get(files.folders.asset_of(path)[1])
    if mask_path is None:
        raise NoMaskError(path, without_mask(files, path))
    mask = load_mask(mask_path, files.read(mask_path))
    if mask.size != picture.size:
        raise AssetError(
            mask_path,
            f"{mask.height}x{mask.width}, but its cut-out {path.name} is "
            f"{picture.height}x{picture.width}; a mask needs the size of its cut-out",
        )
    require_visible(mask_path, mask)
    return mask


def without_mask(files: RootFiles, path: Path) -> str:
    """What is wrong with a picture in `fg/` that has no transparency and no mask."""
    _, key = files.folders.asset_of(path)
    masks = files.folders.names["fg_mask"]
    owner = cut_out_of_mask(key, (one for one in files.of("fg") if one != key))
    if owner:
        to = shown(Path(f"{masks}/{owner}{path.suffix}"))
        return f"most likely the mask of a cut-out; move it to {to}"
    reason = f"no transparency and no mask; cut it out, or add {masks}/{key}.png"
    return f"{reason}{_mask_meant_for(files, key)}"


def _mask_meant_for(files: RootFiles, key: str) -> str:
    """A guess at the mask of a cut-out by the names in `fg_mask/`, or at that folder itself."""
    masks = files.folders.names["fg_mask"]
    others = [one for one in files.of("fg_mask") if one not in files.of("fg")]
    by_cut_out = {picture_meant(one, files.of("fg")): one for one in others}
    if key in by_cut_out:
        other = by_cut_out[key]
        name = shown(Path(files.name_of(files.of("fg_mask")[other])))
        accents = other_accents(key, other)
        return f" ({name} may be its mask: give it that name){accents}"
    if files.folders.path("fg_mask").is_dir():
        return ""
    folder = meant_for(files.folder, "fg_mask")
    return f" (did you mean {shown(Path(folder.name))}/? Rename it to {masks})" if folder else ""
