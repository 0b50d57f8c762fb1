"""The version of depthmask, and the version of the pixels that it makes."""

__version__ = "0.1.0"
"""The version of the package."""
PIXEL_VERSION = 1
"""Raised when the same plan gives other bytes, by code that belongs to no stage."""
