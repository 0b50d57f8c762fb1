"""Where the checkout is, and the reference data beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
"""Photographs, reference depth, datasets of earlier versions; tests skip where it is absent."""
