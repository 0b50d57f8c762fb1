"""`depthmask evaluate depth=NAME on=FOLDER`: score an estimator on RGB-D pairs or on a dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from depthmask.cli.lines import show_block
from depthmask.cli.screen import Screen
from depthmask.config.command_line import options_and_overrides
from depthmask.config.compose import compose_root
from depthmask.config.options import check_options, refuse_misspelt
from depthmask.config.resources import check_resources
from depthmask.errors import UsageError
from depthmask.reading.dataset import no_dataset
from depthmask.reading.dataset import open as open_dataset
from depthmask.reports.evaluation import on_dataset, on_pairs
from depthmask.stages.depth.base import Estimator
from depthmask.storage import shell
from depthmask.storage.location import location, with_home
from depthmask.storage.path import StorePath


def main(arguments: Sequence[str]) -> int:
    """Print the scores; `json=FILE` also writes them as JSON.

    `on=`: a folder of RGB-D pairs, or a dataset, of which `images=` samples are compared.
    """
    check_options(arguments)
    options = {"on": "", "json": "", "images": "500"}
    refuse_misspelt(arguments, list(options))
    for word in options_and_overrides(arguments)[1]:
        if "=" not in word and os.path.exists(word):
            raise UsageError(f"{word}: write {shell.word(f'on={word}')}")
    overrides = []
    for word in arguments:
        name, _, value = word.partition("=")
        if name in options:
            options[name] = value
        else:
            overrides.append(word)
    estimator = compose_root(overrides).depth
    if not options["on"]:
        raise UsageError("evaluate needs on=FOLDER, with RGB-D pairs or a dataset, and depth=NAME")
    if not isinstance(estimator, Estimator):
        raise UsageError(f"depth={estimator.name} is not an estimator; try depth=fastdepth")
    check_resources([("depth", estimator)])
    dataset = location(options["on"])
    with Screen() as screen, screen.waiting(f"evaluating depth={estimator.name}"):
        if (dataset / "plan.json").is_file():
            text, numbers = _on_dataset(estimator, dataset, options["images"])
        elif (dataset / "jobs" / "sweep.json").is_file():
            raise no_dataset(dataset)
        else:
            rows = on_pairs.evaluate_pairs(estimator, Path(with_home(options["on"])))
            text, numbers = on_pairs.table(rows), on_pairs.as_json(rows)
    show_block(text)
    if options["json"]:
        Path(with_home(options["json"])).write_text(json.dumps(numbers, indent=2) + "\n")
    return 0


def _on_dataset(estimator: Estimator, path: StorePath, images: str) -> tuple[str, dict[str, Any]]:
    if not images.isdecimal() or not int(images):
        raise UsageError(f"images={images}: must be a whole number, 1 or more")
    dataset = open_dataset(path)
    count, mean = on_dataset.evaluate_dataset(estimator, dataset, int(images))
    label = dataset.contract.mode.name if dataset.contract else ""
    text = on_dataset.table(estimator.name, label, count, mean)
    return text, {"images": count, **on_pairs.without_nan(asdict(mean))}
