"""The environment that a dataset is made in: what may change its pixels beside its plan."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from threadpoolctl import threadpool_info

from depthmask.config.root import Root
from depthmask.config.versions import versions
from depthmask.engine.job import Job
from depthmask.storage.identity import DatasetIdentity
from depthmask.untrusted import untrusted

SWITCHES = (
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENCV_CPU_DISABLE",
    "OPENCV_IPP",
    "TF_ENABLE_ONEDNN_OPTS",
)
"""Variables that choose among code for processors, whose results differ in the last bits."""
_MACHINE, _PROCESSOR, _OPENCV = "machine", "processor", "OpenCV"
_IPP, _BLAS, _KERNEL, _BACKEND = "IPP", "BLAS", "BLAS kernel", "backend of Keras"
_NO_PACKAGES = (*SWITCHES, _MACHINE, _PROCESSOR, _OPENCV, _IPP, _BLAS, _KERNEL, _BACKEND)
_FEATURES = {
    "SSE42": "SSE4.2",
    "AVX": "AVX",
    "FMA3": "FMA",
    "AVX2": "AVX2",
    "AVX512F": "AVX512F",
    "AVX512_SKX": "AVX512-SKX",
    "AVX512_ICL": "AVX512-ICL",
    "AVX512_SPR": "AVX512-SPR",
    "ASIMD": "NEON",
    "SVE": "SVE",
}
"""NumPy's names for the features of processors that its functions and OpenBLAS distinguish."""


OTHER_MACHINE = "the same plan gives other bytes here, and nothing recorded tells why"
"""The cause of other bytes in the environment in which a dataset was begun."""


def environment_of(root: Root) -> dict[str, str]:
    """What may change the pixels of a dataset on this machine, in this process, as name -> text.

    The versions of all packages that touch pixels, by the names of the packages; the machine and
    the features of its processor as they are in use; the kernel of the BLAS library; and the
    switches that are set.
    """
    return {
        _MACHINE: platform.machine(),
        _PROCESSOR: " ".join(_processor_features()),
        _OPENCV: " ".join(_opencv_features()),
        _IPP: cv2.ipp.getIppVersion() if cv2.ipp.useIPP() else "off",
        **_blas(),
        # A run sets the variable to the default.
        _BACKEND: os.environ.get("KERAS_BACKEND") or "tensorflow",
        **{name: os.environ[name] for name in SWITCHES if name in os.environ},
        **versions(root),
    }


def recorded_environment(plan: Mapping[str, Any]) -> dict[str, str]:
    """The environment in which the dataset of this `plan.json` was begun; call it in `untrusted`.

    Of older plans the versions of packages are known.
    """
    return DatasetIdentity.of_plan(dict(plan)).environments[0]


def other_environment(job: Job) -> str:
    """How the present environment differs from those of a dataset, in words; empty if it does not.

    From that of the beginning, or if it does not differ from that, from a later one.
    """
    with untrusted(str(job.output / "plan.json")):
        recorded = job.identity.environments
    present = environment_of(job.root)
    differences = (environment_difference(one, present) for one in recorded)
    return next((text for text in differences if text), "")


def package_versions(environment: Mapping[str, str]) -> dict[str, str]:
    """The versions of packages and libraries in an environment, by their names."""
    return {name: text for name, text in environment.items() if name not in _NO_PACKAGES}


def environment_difference(recorded: Mapping[str, str], present: Mapping[str, str]) -> str:
    """How an environment differs from a recorded one, in words; empty if it does not.

    As in `processor without FMA; numpy 2.4.6 instead of 2.2.0`. What only one of them knows is no
    difference, except a switch.
    """
    switches = [_switch(name, recorded.get(name), present.get(name)) for name in SWITCHES]
    features = [_features(name, recorded, present) for name in (_PROCESSOR, _OPENCV)]
    others = [
        f"{name} {value} instead of {recorded[name]}"
        for name, value in present.items()
        if name not in (_PROCESSOR, _OPENCV, *SWITCHES) and recorded.get(name, value) != value
    ]
    return "; ".join(text for text in (*features, *switches, *others) if text)


def _features(name: str, recorded: Mapping[str, str], present: Mapping[str, str]) -> str:
    """The features that were in use and are not, or the other way round, in words."""
    if name not in recorded or name not in present:
        return ""
    old, new = recorded[name].split(), present[name].split()
    without = ", ".join(feature for feature in old if feature not in new)
    more = ", ".join(feature for feature in new if feature not in old)
    texts = [without and f"without {without}", more and f"with {more}"]
    changes = " and ".join(text for text in texts if text)
    return f"{name} {changes}" if changes else ""


def _switch(name: str, old: str | None, new: str | None) -> str:
    if old == new:
        return ""
    before = "" if old is None else f" instead of {old}"
    return f"{name} is unset{before}" if new is None else f"{name}={new}{before}"


def _processor_features() -> Iterator[str]:
    """The features that NumPy uses, which it finds out and NPY_DISABLE_CPU_FEATURES reduces."""
    # The list has no public name; without it the other fields tell enough.
    library = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    used: Mapping[str, bool] = getattr(library, "__cpu_features__", {})
    yield from (feature for name, feature in _FEATURES.items() if used.get(name))


def _opencv_features() -> Iterator[str]:
    """The features that OpenCV has code for and uses, as OPENCV_CPU_DISABLE leaves them."""
    # `*` is before code that is chosen at the start, `?` behind what the processor lacks.
    for word in cv2.getCPUFeaturesLine().split():
        if not word.endswith("?"):
            yield word.strip("*")


def _blas() -> dict[str, str]:
    """The BLAS library that NumPy uses, and its kernel, which it chooses for the processor."""
    libraries = [one for one in threadpool_info() if one["user_api"] == "blas"]
    # OpenCV's wheel has an OpenBLAS of its own.
    of_numpy = [one for one in libraries if "numpy" in one["filepath"]] or libraries
    if not of_numpy:
        return {}
    name, version = of_numpy[0]["internal_api"], of_numpy[0]["version"]
    fields = {_BLAS: f"{name} {version}", _KERNEL: of_numpy[0].get("architecture")}
    return {name: text for name, text in fields.items() if text}
