"""Hydra's and OmegaConf's errors in one line: what, where, what to do."""

from __future__ import annotations

import re

from depthmask.errors import DepthmaskError


def explain(error: Exception) -> Exception:
    raise error
