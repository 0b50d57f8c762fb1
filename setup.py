"""Which packages there are; all the rest is in pyproject.toml.

setuptools' finder knows nothing of `conf/`, which lies beside the package and becomes
`depthmask.conf` (see `package-dir`), and pyproject.toml takes either a finder or a list.
"""

from setuptools import find_packages, setup

CONF = ["depthmask.conf"] + [
    f"depthmask.conf.{group}" for group in ("depth", "experiment", "placement", "preset", "source")
]

setup(packages=find_packages(include=["depthmask", "depthmask.*"]) + CONF)
