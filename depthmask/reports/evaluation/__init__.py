"""Scores of an estimator against measured depth, or against the depth of a dataset."""
