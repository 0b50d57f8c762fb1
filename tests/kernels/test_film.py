from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from depthmask.kernels import film
from depthmask.kernels.compiled import native

COMPILED = pytest.mark.skipif(native is None, reason="the kernels are not compiled")


def float32(values: Any) -> Any:
    return np.array(values, np.float32)


@COMPILED
def test_the_fallback_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    light = (10 ** rng.uniform(-4, 2, (3, 31, 47))).astype(np.float32)
    made, other = film.developed(light, 0.73), np.empty_like(light)
    film._develop(light, np.float32(0.73), other)
    np.testing.assert_array_equal(made, other)
    noise = rng.integers(0, 1 << 32, light.shape, np.uint32)
    image = film.printed(made, noise, 0.05)
    monkeypatch.setattr(film, "native", None)
    np.testing.assert_array_equal(image, film.printed(made, noise, 0.05))


@COMPILED
def test_the_fallback_does_the_same_to_what_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    light = float32([np.nan, np.inf, -np.inf, -1, -0.0, 1e38]).repeat(7).reshape(3, 2, 7)
    noise = np.arange(light.size, dtype=np.uint32).reshape(light.shape)

    def work() -> list[Any]:
        with np.errstate(all="ignore"):
            return [film.developed(light, 0.7), film.printed(light, noise, 0.05)]

    compiled = work()
    monkeypatch.setattr(film, "native", None)
    for made, other in zip(compiled, work(), strict=True):
        np.testing.assert_array_equal(made, other)


def test_the_curve_is_monotonic_from_black_to_white() -> None:
    light = np.linspace(0, 8, 4000, dtype=np.float32)[None]
    values = film.developed(light, 1.0)[0]
    assert (np.diff(values) >= -1e-6).all()
    assert values[0] == 0
    assert values[light[0] >= 4].min() == pytest.approx(1)


def test_grain_has_its_deviation_and_corners_are_darker() -> None:
    noise = np.random.default_rng(1).integers(0, 1 << 32, (3, 200, 200), np.uint32)
    values = np.full(noise.shape, 0.5, np.float32)
    image = film.printed(values, noise, 0.05).astype(float)
    middle = image[80:120, 80:120]
    assert middle.std() == pytest.approx(0.05 * 255, rel=0.05)
    assert middle.mean() == pytest.approx(127.5, abs=1)
    assert image[:20, :20].mean() == pytest.approx(127.5 * (1 - 0.28 * 0.405), abs=1.5)


def test_bytes_are_rounded_and_clipped() -> None:
    assert film.to_bytes(float32([-1, 0, 0.499 / 255, 0.501 / 255, 1, 2])).tolist() == [
        0, 0, 0, 1, 255, 255,
    ]  # fmt: skip
