"""The dataset card: a README with a header that the Hugging Face hub and `datasets` read.

https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from depthmask.config.registry import KINDS as STAGES
from depthmask.reports.card.about import About
from depthmask.reports.card.licences import KINDS, for_hub, not_given
from depthmask.reports.card.record_sets import structure_of

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B",
          "1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T")  # fmt: skip
"""The hub's categories; the first ends at 1,000, each next one at ten times as much."""
_LOADED = {"tar": "webdataset", "parquet": "parquet"}
"""Suffix -> the builder of `datasets` that opens such shards."""
_MARKUP = re.compile(r"([\\`*_\[\]<>#!|~&$])")


def readme(about: About) -> str:
    """The content of `README.md`."""
    # 40 ms that only the end of a run has to have.
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("depthmask.reports.card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Foreign text is Markdown that `plain` escapes, not HTML.
    templates.filters["plain"] = plain
    info = about.info
    return templates.get_template("readme.md.j2").render(
        about=about,
        info=info,
        header=yaml.safe_dump(header(about), sort_keys=False, allow_unicode=True),
        plan=about.plan,
        chosen=list(_chosen(about.plan["config"])),
        licences=[(kind, info["licences"][kind], not_given(info, kind)) for kind in KINDS],
        loaded=about.suffix in _LOADED,
        records=[record_set["@id"] for record_set in structure_of(about).record_sets],
    )


def header(about: About) -> dict[str, Any]:
    """What stands in YAML at the top."""
    depth = ["depth-estimation"] * about.has_depth
    mask = ["image-segmentation"] * about.has_foregrounds
    found: dict[str, Any] = {
        **for_hub(about.info),
        "pretty_name": about.name,
        "annotations_creators": ["machine-generated"],
        "task_categories": [*depth, *mask],
        "size_categories": [_size_category(about.info["samples"])],
        "tags": about.tags,
    }
    if about.suffix in _LOADED:
        files = [
            {"split": split, "path": f"shards/{split}-*.{about.suffix}"} for split in about.splits
        ]
        found["configs"] = [{"config_name": "default", "data_files": files}]
    return found


def plain(text: object) -> str:
    """Foreign text as Markdown that shows it as it is, in one line."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _chosen(config: dict[str, Any]) -> Iterator[str]:
    """What a reader would want to know of the config first."""
    for kind in STAGES:
        if kind in config:
            yield f"{kind}={config[kind]['stage']}"
    if "seed" in config:
        yield f"seed={config['seed']}"


def _size_category(samples: int) -> str:
    number = 0
    while number < len(_SIZES) - 1 and samples >= 1000 * 10**number:
        number += 1
    return _SIZES[number]
