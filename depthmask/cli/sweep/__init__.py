"""Sweeps: a dataset for each combination of settings, and a table of all."""
