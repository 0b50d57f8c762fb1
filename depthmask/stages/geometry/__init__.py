"""Geometry: the depth of a background, found once for each."""
