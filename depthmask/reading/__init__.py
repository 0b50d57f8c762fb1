"""Finished datasets as sequences of samples."""
