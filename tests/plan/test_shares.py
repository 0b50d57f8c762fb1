"""The settings of splits."""

from __future__ import annotations

import pytest

from depthmask.errors import SettingError
from depthmask.plan.shares import MILLION, Shares


def test_splits_without_a_share_are_left_out() -> None:
    assert Shares().millionths() == (("train", MILLION),)
    assert Shares(train=0.9, val=0.1).millionths() == (("train", 900_000), ("val", 100_000))
    assert Shares(train=0.0, test=1.0).millionths() == (("test", MILLION),)


def test_thirds_make_a_million() -> None:
    shares = Shares(train=1 / 3, val=1 / 3, test=1 / 3).millionths()
    assert shares == (("train", 333_334), ("val", 333_333), ("test", 333_333))


def test_what_does_not_add_up_is_refused() -> None:
    with pytest.raises(SettingError, match=r"train 1 \+ val 0\.1 \+ test 0 add up to 1\.1"):
        Shares(val=0.1)
