"""Depth maps held to their contract."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from depthmask.compose.depth_check import check_depth
from depthmask.contract import contract_as_json, contract_from_json
from depthmask.data import DepthContract, DepthKind, DepthMode
from depthmask.errors import DepthmaskError

CONTRACT = DepthContract(
    kind=DepthKind.metric_z,
    unit="m",
    near=0.1,
    far=10.0,
    invalid=0.0,
    clip=True,
    resolution=(2, 3),
    estimator="somebody",
    weights_sha256=None,
    mode=DepthMode.estimated,
)


def depth(*values: float) -> np.ndarray:
    """Six pixels; 1 m where nothing is said."""
    return np.array([*values, *[1.0] * (6 - len(values))], np.float32).reshape(2, 3)


@pytest.mark.parametrize("values", [(0.1, 10.0), (0.0,) * 6, (0.0, 5.0)])
def test_values_within_the_range_pass(values: tuple[float, ...]) -> None:
    # float32 has no 0.1: the nearest is larger, that of 0.7 is smaller.
    check_depth(depth(*values), CONTRACT, "000000001")
    check_depth(depth(0.7), replace(CONTRACT, near=0.7), "000000001")


@pytest.mark.parametrize("value", [0.09, 10.01, -1.0])
def test_values_outside_are_an_error_that_names_the_sample(value: float) -> None:
    with pytest.raises(DepthmaskError, match=r"sample 000000001: .* of somebody is 0\.1\.\.10"):
        check_depth(depth(value), CONTRACT, "000000001")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value: float) -> None:
    with pytest.raises(DepthmaskError, match=r"sample 000000001: .* values that are not finite"):
        check_depth(depth(value), CONTRACT, "000000001")


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.uint8, np.uint16])
def test_other_dtypes_are_refused(dtype: type[np.generic]) -> None:
    with pytest.raises(DepthmaskError, match=rf"a map of {dtype.__name__} \[2, 3\]"):
        check_depth(np.ones((2, 3), dtype), CONTRACT, "0")


def test_the_resolution_is_part_of_the_contract() -> None:
    with pytest.raises(DepthmaskError, match=r"float32 \[3, 2\]; .* is float32 \[2, 3\]"):
        check_depth(depth().T, CONTRACT, "000000001")


@pytest.mark.parametrize(
    "change", [{"invalid": -1.0}, {"near": 0.0}, {"far": 0.05}, {"far": float("nan")}]
)
def test_contract_that_would_be_ambiguous_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="0 < near < far, and 0 for invalid"):
        replace(CONTRACT, **change)  # type: ignore[arg-type]


def test_map_without_contract_and_contract_without_map() -> None:
    with pytest.raises(DepthmaskError, match="no map; its contract promises one"):
        check_depth(None, CONTRACT, "0")
    with pytest.raises(DepthmaskError, match="a map; its contract promises none"):
        check_depth(depth(1.0), None, "0")
    check_depth(None, None, "0")


@pytest.mark.parametrize("contract", [CONTRACT, replace(CONTRACT, weights_sha256="ab"), None])
def test_contracts_survive_json(contract: DepthContract | None) -> None:
    plain = contract_as_json(contract)
    # Equal to what is read back: the guard compares the two.
    assert json.loads(json.dumps(plain)) == plain
    assert contract_from_json(plain) == contract
