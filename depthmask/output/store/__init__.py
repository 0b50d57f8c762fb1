"""Stores: how the files of a dataset become durable where it lies, and how they are read there."""

from depthmask.output.store.base import DRAFTS, LOCK, TEMPORARY, Opened, Store
from depthmask.output.store.choice import store_of

__all__ = ["DRAFTS", "LOCK", "TEMPORARY", "Opened", "Store", "store_of"]
