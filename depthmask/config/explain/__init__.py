"""Explains in one line why a config could not be composed."""
