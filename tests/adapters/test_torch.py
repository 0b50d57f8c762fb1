"""PyTorch's loader over a dataset: forked and spawned workers, tensors, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depthmask
from depthmask.adapters.stack import stacked
from depthmask.reading.dataset import Dataset
from depthmask.reading.samples import Samples

torch = pytest.importorskip("torch")
VIRTUAL = ["source.rooms=2", "source.furniture=2", "size=[16,24]"]


def loader(samples: Samples, **settings: Any) -> Any:
    from depthmask.adapters.torch import Collate

    collate = Collate(samples.contract, settings.pop("floats", True))
    return torch.utils.data.DataLoader(samples, batch_size=4, collate_fn=collate, **settings)


def check(samples: Samples, found: list[dict[str, Any]]) -> None:
    assert len(found) == -(-len(samples) // 4)
    for first, batch in zip(range(0, len(samples), 4), found, strict=True):
        wanted = stacked(samples[first : first + 4], samples.contract, channels_first=True)
        assert list(batch) == list(wanted)
        for name, array in wanted.items():
            assert batch[name].is_contiguous()
            assert np.array_equal(batch[name].numpy(), array)


@pytest.mark.parametrize("method", [None, "fork", "spawn"])
def test_workers(dataset: Dataset, method: str | None) -> None:
    workers = {"num_workers": 2, "multiprocessing_context": method} if method else {}
    check(dataset, list(loader(dataset, **workers)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_virtual(method: str) -> None:
    made = depthmask.virtual(VIRTUAL)[7:16]
    check(made, list(loader(made, num_workers=2, multiprocessing_context=method)))


def test_a_dataset_is_made_after_torch_was_used(tmp_path: Path) -> None:
    """With workers, whose bytes are those of a single process."""
    assert float(torch.ones(2).sum()) == 2
    settings = {"source.rooms": 2, "source.furniture": 2, "size": (16, 24), "samples": 4}
    outputs = [tmp_path / str(workers) for workers in (1, 2)]
    one, two = [
        depthmask.make(
            {**settings, "shard_size": 2, "runner.workers": workers}, output=out, progress="none"
        )
        for workers, out in enumerate(outputs, 1)
    ]
    assert one.metadata.manifest_sha256 == two.metadata.manifest_sha256


def test_bytes(pairs: Dataset) -> None:
    (batch,) = loader(pairs[:4], floats=False)
    assert (batch["image"].dtype, batch["image"].shape) == (torch.uint8, (4, 3, 16, 24))
    assert (batch["mask"].dtype, batch["mask"].shape) == (torch.uint8, (4, 1, 16, 24))
    assert "depth" not in batch


def test_shuffled(dataset: Dataset) -> None:
    torch.manual_seed(0)
    found = torch.cat([batch["image"] for batch in loader(dataset, shuffle=True, num_workers=2)])
    wanted = stacked(dataset, None, channels_first=True)["image"]
    assert not np.array_equal(found.numpy(), wanted)
    assert sorted(one.tobytes() for one in found.numpy()) == sorted(one.tobytes() for one in wanted)


# The library leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_streams(dataset: Dataset) -> None:
    import webdataset

    from depthmask.adapters.torch import Collate
    from depthmask.adapters.webdataset import sample, shards

    stream = webdataset.WebDataset(shards(dataset), shardshuffle=False).map(sample)
    found = torch.utils.data.DataLoader(
        stream, batch_size=4, num_workers=2, collate_fn=Collate(dataset.contract)
    )
    masks = sorted(mask.tobytes() for batch in found for mask in batch["mask"].numpy())
    wanted = stacked(dataset, None, channels_first=True)["mask"]
    assert masks == sorted(mask.tobytes() for mask in wanted)


def test_a_network_in_a_forked_process_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made = depthmask.virtual([*VIRTUAL, "depth=fastdepth"])
    monkeypatch.setattr(depthmask.forks._Networks, "ran", True)
    with pytest.raises(depthmask.DepthmaskError, match="multiprocessing_context='spawn'"):
        next(iter(loader(made, num_workers=1, multiprocessing_context="fork")))
