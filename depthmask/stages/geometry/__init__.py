"""Geometry: the depth of each background."""
