"""Depth stages: the depth maps of composites."""
