"""Licences of the assets: what was given, and how others name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPDX = {
    # https://spdx.org/licenses: how the hub calls it, from
    # https://huggingface.co/docs/hub/repositories-licenses
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
_KNOWN = {name.lower(): name for name in SPDX}
KINDS = ("backgrounds", "foregrounds")


def spdx(text: str) -> str | None:
    """The SPDX identifier that is meant, None if it is none of ours."""
    return _KNOWN.get(text.lower())


def not_given(info: Mapping[str, Any], kind: str) -> int:
    """How many of these assets came without a licence."""
    return int(info[kind]) - sum(info["licences"][kind].values())


def given(info: Mapping[str, Any]) -> list[str]:
    """All that were given, each once, by SPDX identifier where there is one."""
    return sorted({spdx(text) or text for kind in KINDS for text in info["licences"][kind]})


def for_hub(info: Mapping[str, Any]) -> dict[str, Any]:
    """The `license` part of a card's header.

    Only where every asset has one that the hub knows can it say more than that it is told below.
    """
    texts = given(info)
    if not texts:
        return {"license": "unknown"}
    if any(text not in SPDX for text in texts) or any(not_given(info, kind) for kind in KINDS):
        return {"license": "other", "license_name": "as-listed-in-the-card"}
    names = [SPDX[text] for text in texts]
    return {"license": names[0] if len(names) == 1 else names}


def for_croissant(info: Mapping[str, Any]) -> list[str]:
    """Addresses of the known ones, the others as they were given."""
    return [f"https://spdx.org/licenses/{text}" if text in SPDX else text for text in given(info)]
