"""The checker of tools/check_publish.py: on what strace sees of a run, and on made-up traces."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import tiny
from tools import check_publish


def published(name: str, folder: str, handle: int) -> list[str]:
    """What strace says when a file is published as it should be."""
    at, draft = f"/o/{folder}".rstrip("/"), f"/o/.drafts/{name}"
    return [
        f'7  openat(AT_FDCWD, "{draft}", O_WRONLY|O_CREAT|O_TRUNC, 0666) = {handle}<{draft}>',
        f'7  write({handle}<{draft}>, "x"..., 9) = 9',
        f"7  fsync({handle}<{draft}>) = 0",
        f'7  rename("{draft}", "{at}/{name}") = 0',
        f"7  fsync({handle}<{at}>) = 0",
    ]


PLAN = published("plan.json", "", 3)
SHARD = published("train-000000.tar", "shards", 4)
RECORD = published("train-000000.json", "records", 5)
LAST = published("dataset.json", "", 6)
COCO = published("coco_train.json", "", 8)


def judge(*parts: list[str]) -> list[str]:
    return check_publish.check([line for part in parts for line in part], "/o")[0]


def test_the_right_order() -> None:
    assert judge(PLAN, SHARD, RECORD, COCO, LAST) == []


@pytest.mark.parametrize(
    ("trace", "text"),
    [
        ([*PLAN, *SHARD[:2], *SHARD[3:], *RECORD, *LAST], "renamed before it was synced"),
        ([*PLAN, *SHARD[:3], SHARD[1], *SHARD[3:], *RECORD, *LAST], "renamed before it was sync"),
        ([*PLAN, *SHARD[:4], *RECORD, *LAST], "renamed before the folder of shards/train-000000"),
        ([*PLAN, *RECORD, *SHARD, *LAST], "renamed before any file of its shard"),
        ([*PLAN, *SHARD, *LAST, *RECORD], "published after dataset.json"),
        ([*PLAN, *SHARD, *RECORD[:4], *LAST], "not durable before dataset.json"),
        ([*PLAN, *SHARD, *RECORD, *LAST[:4]], "dataset.json: its folder was not synced at the end"),
        ([*PLAN, *SHARD, *RECORD, *COCO[:4], *LAST], "not durable before dataset.json"),
        ([*PLAN, *SHARD, *RECORD, *LAST, *COCO], "published after dataset.json"),
        ([*SHARD, *RECORD, *LAST], "plan.json: never published"),
        ([*PLAN, *SHARD, '7  write(4</o/shards/train-000000.tar>, "x", 1) = 1', *RECORD, *LAST],
         "shards/train-000000.tar: written in place"),
    ],
)  # fmt: skip
def test_every_violation_is_found(trace: list[str], text: str) -> None:
    assert any(text in problem for problem in judge(trace)), judge(trace)


def test_a_call_that_failed_is_none_and_a_split_one_is_one() -> None:
    failed = [*SHARD[:2], "7  fsync(4</o/.drafts/train-000000.tar>) = -1 EIO (error)", *SHARD[3:]]
    assert judge(PLAN, failed, RECORD, LAST)
    split = [
        *SHARD[:2],
        "7  fsync(4</o/.drafts/train-000000.tar> <unfinished ...>",
        '8  write(9</elsewhere>, "x", 1) = 1',
        "7  <... fsync resumed>) = 0",
        *SHARD[3:],
    ]
    assert judge(PLAN, split, RECORD, LAST) == []


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("writer", "count"), [("webdataset", 13), ("folder", 50), ("depthmaskdataset", 23)]
)
def test_a_run(tmp_path: Path, writer: str, count: int) -> None:
    assets, out = tiny.make_assets(tmp_path / "assets"), tmp_path / "out"
    plan = ("samples=10", "shard_size=4", "runner.workers=2", f"writer={writer}", "labels=[coco]")
    check_publish.trace(tiny.words(assets, out, *plan), tmp_path / "trace")
    with (tmp_path / "trace").open(errors="replace") as lines:
        problems, files = check_publish.check(lines, str(out))
    assert problems == []
    assert files == count
