"""Exact statistics of a dataset: those of its pixels, and those that plugins add."""
