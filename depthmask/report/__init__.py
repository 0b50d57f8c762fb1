"""The report of a dataset: what is in it, counted and shown on one page."""
