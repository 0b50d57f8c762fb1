"""Depth: what annotates a composite with a depth map."""
