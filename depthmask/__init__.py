"""Labelled image datasets: cut-out foregrounds over backgrounds, with mask and depth."""

__version__ = "0.1.0"
