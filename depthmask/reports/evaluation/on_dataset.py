"""Comparison of an estimator with the depth of a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from depthmask.data import DepthKind
from depthmask.errors import UsageError
from depthmask.reading.dataset import Dataset
from depthmask.reports.evaluation.edge_agreement import FAR_PX, Agreement, agreement, mean_agreement
from depthmask.reports.evaluation.metrics import at_size
from depthmask.stages.depth.base import Estimator


def evaluate_dataset(estimator: Estimator, dataset: Dataset, samples: int) -> tuple[int, Agreement]:
    """Compare up to `samples` evenly spaced samples; returns how many were compared, and the mean.

    The network sees the decoded images. Raises `UsageError` if the dataset has no depth in metres
    at the size of its images.
    """
    contract = dataset.contract
    size = dataset.metadata.size
    if contract is None or contract.kind is not DepthKind.metric_z:
        raise UsageError(f"on={dataset.path} has no depth in metres to compare with")
    if contract.resolution != size:
        raise UsageError(
            f"on={dataset.path} has depth maps of {contract.resolution} and images of "
            f"{size}; evaluate needs both in one size"
        )
    agreements = list(_agreements(estimator, dataset, samples))
    if not agreements:
        raise UsageError(f"on={dataset.path}: no pixel has a valid depth")
    return len(agreements), mean_agreement(agreements)


def table(name: str, label: str, count: int, mean: Agreement) -> str:
    """The comparison as text.

    name: the name of the estimator. label: the title of the column for the dataset's own depth.
    """
    return "\n".join(
        [
            f"depth={name} on the images of {count:,} samples, against their own depth ({label})",
            f"{'':<34}{name:>12}{label:>12}",
            f"{'abs_rel inside the mask':<34}{_cell(mean.inside, 3)}{'-':>12}",
            f"{'abs_rel outside the mask':<34}{_cell(mean.outside, 3)}{'-':>12}",
            f"{f'step across the edge, {FAR_PX} px away':<34}{_cell(mean.step, 2)}{1:>12.2f}",
            f"{'step between neighbours':<34}{_cell(mean.near, 2)}{_cell(mean.label_near, 2)}",
            f"{'F1 of boundaries':<34}{_cell(mean.f1, 3)}{'-':>12}",
            f"{'boundaries of the mask':<34}{_cell(mean.recall, 3)}{'-':>12}",
        ]
    )


def _cell(number: float, digits: int) -> str:
    """The number in a column of the table; `-` for nan, as without any mask."""
    return f"{'-':>12}" if math.isnan(number) else f"{number:>12.{digits}f}"


def _agreements(estimator: Estimator, dataset: Dataset, samples: int) -> Iterator[Agreement]:
    step = max(1, len(dataset) // samples)
    indices = range(0, len(dataset), step)[:samples]
    kind = _kind(estimator, dataset)
    for first in range(0, len(indices), estimator.batch_size):
        batch = [dataset[index] for index in indices[first : first + estimator.batch_size]]
        for size in sorted({sample.size for sample in batch}):
            of_one_size = [sample for sample in batch if sample.size == size]
            depths = estimator.estimate(np.stack([sample.image for sample in of_one_size]))
            for sample, depth in zip(of_one_size, depths, strict=True):
                assert sample.depth is not None, "the contract says so"
                resized = at_size(depth, sample.depth.shape)
                of_sample = agreement(sample.depth, resized, sample.mask, kind)
                if of_sample is not None:
                    yield of_sample


def _kind(estimator: Estimator, dataset: Dataset) -> DepthKind:
    contract = estimator.contract(dataset.metadata.size, None)
    return contract.kind if contract else DepthKind.relative
