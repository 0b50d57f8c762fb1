"""The version of depthmask."""

__version__ = "0.1.0"
