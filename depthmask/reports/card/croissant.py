"""Writes Croissant metadata: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html."""

from __future__ import annotations

import json
from typing import Any

from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.licences import for_croissant
from depthmask.reports.card.record_sets import structure_of

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The complete context of the specification; `mlcroissant` warns about any other."""


def croissant(facts: CardFacts) -> str:
    """The content of `croissant.json`.

    The publisher has to add url, datePublished, creator and citeAs, which a run does not know.
    """
    structure = structure_of(facts)
    metadata: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.name,
        "description": f"{facts.summary} {structure.note}".strip(),
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "version": f"1.0.0+{facts.info.fingerprint[:8]}",
        "keywords": facts.tags,
        "distribution": structure.distribution,
        "recordSet": structure.record_sets,
    }
    if licences := for_croissant(facts.info):
        metadata["license"] = licences
    return json.dumps(metadata, indent=1, ensure_ascii=False) + "\n"
