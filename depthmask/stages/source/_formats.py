"""The formats of picture files: those that are read, and the names of those that are not."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""Of photographs, and of depth maps."""
_HEIC, _AVIF = "HEIC", "AVIF"
_MORE_SUFFIXES = {
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    _AVIF: (".avif",),
    _HEIC: (".heic", ".heif", ".hif"),
}
"""Format -> suffixes of it that assets may have beside `SUFFIXES`."""
ASSET_SUFFIXES = (*SUFFIXES, *(one for some in _MORE_SUFFIXES.values() for one in some))
"""In small letters, of backgrounds, cut-outs and masks."""
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""Pillow's names of the formats that it always reads."""
_OTHER_FORMATS = {
    **_MORE_SUFFIXES,
    "AVIF sequence": (".avifs",),
    "device-independent bitmap": (".dib",),
    "JPEG XL": (".jxl",),
    "JPEG 2000": (".jp2", ".j2k", ".jpx"),
    "camera raw": (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".raw"),
    "Photoshop": (".psd", ".psb"),
    "SVG": (".svg", ".svgz"),
    "OpenEXR": (".exr",),
    "PNM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TGA": (".tga",),
    "icon": (".ico", ".icns"),
}
_NAMES = {suffix: name for name, suffixes in _OTHER_FORMATS.items() for suffix in suffixes}
_JPEG_SUFFIXES = (".jfif", ".jpe", ".jif", ".jfi", ".pjpeg", ".pjp")
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), _HEIC),
}
"""Brand of a file of the ISO base media format -> the format, that of AVIF first: such a file may
also have the brands that are common to both."""
_MOST_BRANDS = 64
"""Bytes of a file that are searched for brands."""
_INSTEAD = "save as JPEG or PNG"
_MISSING = {
    _HEIC: "install depthmask[heic] with pip to read it",
    _AVIF: "install a Pillow with AVIF to read it",
}
"""What to do about a format that only some installations read."""
_BEGINNINGS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
}
_LONGEST_SUFFIX = 12


def has_picture_suffix(name: str) -> bool:
    """Whether the name ends like that of a picture that some installation reads."""
    return name.lower().endswith(ASSET_SUFFIXES)


def is_picture_name(name: str, folder: str) -> bool:
    """Whether a file of this name in `bg`, `fg`, `fg_mask` or `bg_depth` is a picture to read.

    Depth has no other formats than before: the numbers of a TIFF may be metres.
    """
    suffix = name[max(0, name.rfind(".")) :].lower()
    is_more = folder != "bg_depth" and suffix in ASSET_SUFFIXES
    return suffix in SUFFIXES or (is_more and is_readable(_NAMES[suffix]))


@cache
def is_readable(name: str) -> bool:
    """Whether this installation reads a format of this name, if it is one of the above."""
    if name == _HEIC:
        return find_spec("pillow_heif") is not None
    if name == _AVIF:
        from PIL import features

        return bool(features.check("avif"))
    return True


def optional_formats() -> list[str]:
    """The formats that this installation reads and others may not."""
    return [name for name in _MISSING if is_readable(name)]


def pillow_formats(start: bytes) -> tuple[str, ...]:
    """Pillow's names of the formats in which to open a file that begins so."""
    name = format_of(start)
    if name == _HEIC and is_readable(name):
        import pillow_heif  # type: ignore[import-not-found, unused-ignore]

        pillow_heif.register_heif_opener(thumbnails=False)
        return ("HEIF",)
    if name == _AVIF and is_readable(name):
        return ("AVIF",)
    return _FORMATS


def reason_of_suffix(name: str, target: str, *, is_depth: bool = False) -> str:
    """Why a file of this name is not used; what to do about it."""
    suffix = Path(name).suffix.lower()
    if suffix in _NAMES:
        form = _NAMES[suffix]
        missing = "" if is_depth or is_readable(form) else f"{_MISSING[form]}, or "
        return f"{form}; {missing}save as {target}"
    if suffix in _JPEG_SUFFIXES:
        return f"{suffix}; rename to .jpg"
    if suffix and suffix.isprintable() and len(suffix) <= _LONGEST_SUFFIX:
        return f"{suffix}; not a picture"
    return "without a suffix; a picture needs that of its format, such as .jpg"


def reason_of_content(start: bytes) -> str:
    """Why a file that begins so cannot be used, since it is no picture of a format that is read."""
    name = format_of(start)
    if name is None:
        return "not a picture of a format that is read; replace or remove it"
    if name in _MORE_SUFFIXES and is_readable(name):
        return f"cannot be decoded (damaged {name}); replace or remove it"
    missing = "" if is_readable(name) else f"{_MISSING[name]}, or "
    return f"not a picture of a format that is read but {name}; {missing}{_INSTEAD}"


def format_of(start: bytes) -> str | None:
    """The name of the format that the first bytes of a file tell; None if it is not known."""
    if start[4:8] == b"ftyp":
        length = min(int.from_bytes(start[:4], "big"), _MOST_BRANDS)
        brands = {start[at : at + 4] for at in (8, *range(16, length, 4))}
        return next((name for brand, name in _BRANDS.items() if brand in brands), None)
    return next((name for mark, name in _BEGINNINGS.items() if start.startswith(mark)), None)
