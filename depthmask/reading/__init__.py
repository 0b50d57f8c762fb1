"""Samples by number: of datasets that were written, and of such that need no files."""
