"""The requirements on a label stage."""

from __future__ import annotations

import hashlib
import random as standard_random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from depthmask.codec.labels import LabelCodec, decode_labels
from depthmask.data import Sample
from depthmask.engine.generate import Generate
from depthmask.errors import UsageError
from depthmask.stages.depth.layered import Layered
from depthmask.stages.depth.none import NoDepth
from depthmask.stages.labels.base import Labels
from depthmask.testing.base import StageSuite
from depthmask.testing.job import SAMPLES, AnnotatedRooms, same, small_job

_OBJECTS = [1, 3]


class LabelsSuite(StageSuite):
    """Labels are as declared, depend only on the sample, change nothing and can be read back."""

    stage_class: ClassVar[type[Labels]]

    def job_with(self, stage: Any, output: Path) -> Generate:
        """A small job with these labels."""
        return _job(stage, output)

    def test_declares_its_labels(self, stage: Any, tmp_path: Path) -> None:
        """Each label has a meaning and a cost; a stage declares at least one."""
        job = _job(stage, tmp_path)
        outputs = stage.outputs(job.root.canvas, job.contract)
        assert outputs
        for output in outputs:
            assert output.meaning.strip()
            assert "\n" not in output.meaning
            assert output.bytes >= 0

    def test_a_sample_is_the_same_alone_and_among_others(self, stage: Any, tmp_path: Path) -> None:
        """Labels depend only on the number of the sample."""
        among = _samples(_job(stage, tmp_path))
        np.random.seed(1)
        standard_random.seed(1)
        for number in (4, 0):
            assert same(_job(stage, tmp_path).sample(number), among[number])

    def test_changes_nothing_else(self, stage: Any, tmp_path: Path) -> None:
        """Image, mask and depth are those of a run without labels; no input was changed."""
        with_labels = _samples(_job(stage, tmp_path))
        for sample, plain in zip(with_labels, _samples(_job(None, tmp_path)), strict=True):
            assert _hashes(sample) == _hashes(plain)

    def test_labels_come_back_from_their_members(self, stage: Any, tmp_path: Path) -> None:
        """What a reader decodes is what the stage returned, and its size is near the estimate."""
        job = _job(stage, tmp_path)
        for sample in _samples(job):
            encoded = job.root.encode.encode(sample, job.labeller.outputs)
            decoded = decode_labels(encoded)
            assert same(sample, replace(sample, labels=decoded))
            for output in job.labeller.outputs:
                assert output.member is None or output.member in encoded.members

    def test_the_estimated_size_is_right_to_a_factor(self, stage: Any, tmp_path: Path) -> None:
        """The cost decides whether the disk has room; it may be wrong by ten times and 1 kB."""
        job = _job(stage, tmp_path)
        for output in job.labeller.outputs:
            if output.codec is LabelCodec.layers:
                continue
            sizes = [
                len(job.root.encode.encode(sample, [output]).members[output.member or ""])
                for sample in _samples(job)
            ]
            mean = sum(sizes) / len(sizes)
            assert mean / 10 - 1000 < output.bytes < mean * 10 + 1000, (output.name, mean)

    def test_annotated_backgrounds(self, stage: Any, tmp_path: Path) -> None:
        """Backgrounds that show instances by themselves are labelled, too, and change no layer."""
        source = AnnotatedRooms(rooms=2, furniture=4, oversample=1)
        for sample in _samples(_job(stage, tmp_path, source=source)):
            assert sample.meta["background_instances"]
            assert all(layer.keys() >= {"foreground", "label"} for layer in sample.meta["layers"])

    def test_samples_without_depth(self, stage: Any, tmp_path: Path) -> None:
        """Without depth a stage labels the samples, or refuses the run before it begins."""
        try:
            job = _job(stage, tmp_path, depth=NoDepth())
        except UsageError:
            return
        assert len(_samples(job)) == SAMPLES


def _job(stage: Labels | None, output: Path, **stages: Any) -> Generate:
    """A small job with one to three layers in each sample, and depth."""
    labels = {} if stage is None else {stage.name: stage}
    name = hashlib.sha256(repr((labels, sorted(stages))).encode()).hexdigest()[:8]
    known: dict[str, Any] = {"depth": Layered(), "objects": _OBJECTS, **stages}
    return small_job(output / name, labels=labels, **known)


def _samples(job: Generate) -> list[Sample]:
    return [job.sample(number) for number in range(SAMPLES)]


def _hashes(sample: Sample) -> list[str]:
    arrays: Sequence[NDArray[Any] | None] = (sample.image, sample.mask, sample.depth)
    return [
        hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        for array in arrays
        if array is not None
    ]
