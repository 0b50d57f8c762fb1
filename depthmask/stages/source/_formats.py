"""The formats of picture files: those that are read, and the names of those that are not."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_OTHER_FORMATS = {
    "HEIC": (".heic", ".heif", ".hif"),
    "AVIF": (".avif", ".avifs"),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
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
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
"""The first brand of a file of the ISO base media format -> the format."""
_BEGINNINGS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
}
_LONGEST_SUFFIX = 12


def reason_of_suffix(name: str, target: str) -> str:
    """Why a file of this name, which is none of `SUFFIXES`, is not used; what to do about it."""
    suffix = Path(name).suffix.lower()
    if suffix in _NAMES:
        return f"{_NAMES[suffix]}; save as {target}"
    if suffix in _JPEG_SUFFIXES:
        return f"{suffix}; rename to .jpg"
    if suffix and suffix.isprintable() and len(suffix) <= _LONGEST_SUFFIX:
        return f"{suffix}; not a picture"
    return "without a suffix; a picture needs .jpg, .png or .webp"


def format_of(start: bytes) -> str | None:
    """The name of the format that the first bytes of a file tell; None if it is not known."""
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12])
    return next((name for mark, name in _BEGINNINGS.items() if start.startswith(mark)), None)
