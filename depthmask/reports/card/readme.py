"""Writes the dataset card: a README whose header the Hugging Face hub and `datasets` read.

https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from depthmask.codec.members import DEPTH_PNG
from depthmask.config.command_from_plan import command_from_plan
from depthmask.config.registry import KINDS, LISTS
from depthmask.contract import contract_as_json
from depthmask.reports.card.facts import CardFacts
from depthmask.reports.card.licences import for_hub
from depthmask.reports.card.record_sets import structure_of
from depthmask.reports.units import depth_title
from depthmask.storage.dataset_info import LICENSED
from depthmask.storage.packages import install_command
from depthmask.untrusted import is_one_line, visible, visible_lines

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B",
          "1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T")  # fmt: skip
"""The size categories of the hub; the first ends at 1,000, each other at ten times as much."""
_LOADERS = {"tar": "webdataset", "parquet": "parquet"}
"""Suffix of a shard -> the builder of `datasets` that loads the shard."""
_MARKUP = re.compile(r"([\\`*_\[\]<>#!|~&$])")


def readme(facts: CardFacts) -> str:
    """The content of `README.md`."""
    # Imported here, since the import takes 40 ms and only the end of a run needs it.
    import yaml
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("depthmask.reports.card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # `plain` escapes texts from assets and settings: the output is Markdown, not HTML.
    templates.filters["plain"] = plain
    info = facts.info
    return templates.get_template("readme.md.j2").render(
        facts=facts,
        info=info,
        header=visible_lines(yaml.safe_dump(header(facts), sort_keys=False, allow_unicode=True)),
        plan=facts.plan,
        command=_printable(command_from_plan(_without_folders(facts.plan))),
        settings=list(_main_settings(facts.plan["config"])),
        depth=contract_as_json(info.contract),
        in_millimetres=DEPTH_PNG.name in facts.sample.members,
        titles={"depth": depth_title(info.contract)},
        licences=[(kind, info.licences[kind], info.unlicensed(kind)) for kind in LICENSED],
        install=install_command(*facts.reader) if facts.reader else "",
        has_loader=facts.suffix in _LOADERS,
        records=[record_set["@id"] for record_set in structure_of(facts).record_sets],
    )


def header(facts: CardFacts) -> dict[str, Any]:
    """The YAML header of the card."""
    depth = ["depth-estimation"] * facts.has_depth
    mask = ["image-segmentation"] * facts.has_foregrounds
    fields: dict[str, Any] = {
        **for_hub(facts.info),
        "pretty_name": facts.name,
        "annotations_creators": ["machine-generated"],
        "task_categories": [*depth, *mask],
        "size_categories": [_size_category(facts.info.samples)],
        "tags": facts.tags,
    }
    if facts.suffix in _LOADERS:
        files = [
            {"split": split, "path": f"shards/{split}-*.{facts.suffix}"} for split in facts.splits
        ]
        fields["configs"] = [{"config_name": "default", "data_files": files}]
    return fields


def plain(text: object) -> str:
    """The text as Markdown that shows it literally, in one line."""
    return _MARKUP.sub(r"\\\1", visible(" ".join(str(text).split())))


def _without_folders(value: Any) -> Any:
    """The value with only the last name of each path: where files lie is nobody's business."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    if isinstance(value, str) and (value.startswith(("/", "~", ".")) or "://" in value):
        return value.rstrip("/").rpartition("/")[2] or "FOLDER"
    return value


def _printable(command: str | None) -> str | None:
    """The command if it fits into a block of one line, else None."""
    return command if command and is_one_line(command) and "```" not in command else None


def _main_settings(config: dict[str, Any]) -> Iterator[str]:
    """The stages and the seed of a config, such as `source=assets`."""
    for kind in KINDS:
        if kind in config:
            names = map(plain, config[kind] if kind in LISTS else [config[kind]["stage"]])
            listed = ",".join(names)
            yield f"{kind}=[{listed}]" if kind in LISTS else f"{kind}={listed}"
    if "seed" in config:
        yield f"seed={plain(config['seed'])}"


def _size_category(samples: int) -> str:
    power = 0
    while power < len(_SIZES) - 1 and samples >= 1000 * 10**power:
        power += 1
    return _SIZES[power]
