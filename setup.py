"""Which packages there are, and the compiled kernels; all the rest is in pyproject.toml.

setuptools' finder knows nothing of `conf/`, which lies beside the package and becomes
`depthmask.conf` (see `package-dir`), and pyproject.toml takes either a finder or a list. setuptools
84 warns that `ext-modules` in pyproject.toml is experimental
(https://github.com/pypa/setuptools/blob/main/setuptools/config/pyprojecttoml.py), and it would have
to list each C file.
"""

import hashlib
import sysconfig
from glob import glob
from pathlib import Path

from setuptools import Extension, find_packages, setup

CONF = ["depthmask.conf"] + [
    f"depthmask.conf.{group}" for group in ("depth", "experiment", "placement", "preset", "source")
]
C_FILES = sorted(glob("depthmask/kernels/native/*.[ch]"))
# `depthmask/kernels/compiled.py` compares it with the files of a checkout.
SOURCES = hashlib.sha256(b"".join(Path(file).read_bytes() for file in C_FILES)).hexdigest()[:16]
# Python without a global lock has no limited API.
IS_LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")
KERNELS = Extension(
    "depthmask.kernels._native",
    [file for file in C_FILES if file.endswith(".c")],
    depends=C_FILES,
    define_macros=[("SOURCES", f'"{SOURCES}"')],
    # Each operation is rounded by itself, so that all processors give the same bytes.
    # The other two leave out what C asks for beside results, which hinders vectors.
    extra_compile_args=[
        "-O3",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-Werror=implicit-function-declaration",
    ],
    py_limited_api=IS_LIMITED,
    # Without a compiler, the fallbacks in Python run.
    optional=True,
)

setup(
    packages=find_packages(include=["depthmask", "depthmask.*"]) + CONF,
    ext_modules=[KERNELS],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if IS_LIMITED else {},
)
