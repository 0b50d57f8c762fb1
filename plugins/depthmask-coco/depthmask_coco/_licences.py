"""Licences as cards name them: SPDX identifiers where the address says which one it is."""

from __future__ import annotations

import re

from depthmask import is_one_line

_CREATIVE_COMMONS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]{2,8})/(\d\.\d)/?", re.IGNORECASE
)
_PUBLIC_DOMAIN = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/publicdomain/zero/1\.0/?", re.IGNORECASE
)
_MOST = 200


def licence_of(name: object, url: object) -> str:
    """`CC-BY-2.0` of an address at Creative Commons; else the name, the address or ""."""
    address = url.strip() if isinstance(url, str) else ""
    if match := _CREATIVE_COMMONS.match(address):
        return f"CC-{match[1].upper()}-{match[2]}"
    if _PUBLIC_DOMAIN.match(address):
        return "CC0-1.0"
    text = name.strip() if isinstance(name, str) else ""
    return " ".join((text or address).split())[:_MOST] if is_one_line(text or address) else ""
