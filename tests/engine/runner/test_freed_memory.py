"""Workers keep the memory of one sample for the next one."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SAMPLES = """
import resource, sys
import numpy as np
from depthmask.engine.runner._workers import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()

def sample():
    arrays = [np.ones(4_000_000, np.uint8) for _ in range(8)]
    del arrays

for _ in range(3):
    sample()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    sample()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(name: str) -> int:
    command = [sys.executable, "-c", SAMPLES, name]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc has mallopt")
def test_pages_are_not_mapped_anew_for_each_sample() -> None:
    # Of 80 arrays, which have 1,000 pages each.
    assert page_faults("kept") < 1000
    assert page_faults("returned") > 10_000
