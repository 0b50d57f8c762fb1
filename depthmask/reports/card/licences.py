"""Names the licences of assets as the Hugging Face hub and Croissant do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from depthmask.storage.dataset_info import LICENSED, DatasetInfo
from depthmask.storage.packages import package_of

SPDX = {
    # SPDX identifier (https://spdx.org/licenses) -> the hub's name of the licence
    # (https://huggingface.co/docs/hub/repositories-licenses).
    **{
        name: name.lower()
        for name in (
            "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0",
            "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0",
            "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0",
            "CC-BY-ND-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0",
            "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "etalab-2.0", "MIT", "Unlicense",
        )
    },
    "ODbL-1.0": "odbl",
    "ODC-By-1.0": "odc-by",
    "PDDL-1.0": "pddl",
}  # fmt: skip
_OWN = {"source=rooms": "CC0-1.0"}
"""A stage of depthmask that renders its assets -> their licence."""
_KNOWN = {name.lower(): name for name in SPDX}


def spdx(text: str) -> str | None:
    """The SPDX identifier of a licence, spelled as in `SPDX`; None if it is not there."""
    return _KNOWN.get(text.lower())


def with_own_licence(info: DatasetInfo, plan: Mapping[str, Any]) -> DatasetInfo:
    """The info with the licence of the assets, if depthmask itself has rendered them.

    plan: of the run that generated the samples; empty if it is unknown. `dataset.json` has the
    licences of files only.
    """
    source = plan.get("config", {}).get("source", {})
    stage = f"source={source.get('stage')}"
    if stage not in _OWN or package_of(plan, stage):
        return info
    counts = {"backgrounds": info.backgrounds, "foregrounds": info.foregrounds}
    return replace(info, licences={kind: {_OWN[stage]: counts[kind]} for kind in LICENSED})


def distinct_licences(info: DatasetInfo) -> list[str]:
    """The licences of all assets, each once, as SPDX identifiers where they exist."""
    return sorted({spdx(text) or text for kind in LICENSED for text in info.licences[kind]})


def for_hub(info: DatasetInfo) -> dict[str, Any]:
    """The `license` fields of a card's header.

    They name licences only if the hub knows the licence of every asset; otherwise they refer to the
    card.
    """
    licences = distinct_licences(info)
    if not licences:
        return {"license": "unknown"}
    if any(text not in SPDX for text in licences) or any(map(info.unlicensed, LICENSED)):
        return {"license": "other", "license_name": "as-listed-in-the-card"}
    names = [SPDX[text] for text in licences]
    return {"license": names[0] if len(names) == 1 else names}


def for_croissant(info: DatasetInfo) -> list[str]:
    """The SPDX URL of each licence, or its text if SPDX does not know it."""
    return [
        f"https://spdx.org/licenses/{text}" if text in SPDX else text
        for text in distinct_licences(info)
    ]
