"""The version of depthmask, and the version of the pixels that it makes."""

__version__ = "0.2.0"
"""The version of the package."""
PIXEL_VERSION = 2
"""Raised when the same plan gives other bytes, by code that belongs to no stage."""
PIXEL_CHANGES = {
    2: "how pictures, masks and assets.csv are read, cut-outs are trimmed, and layers get depth",
}
"""Pixel version -> what it changed, for the line that refuses to continue an older dataset."""
