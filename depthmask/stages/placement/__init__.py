"""Placements: the positions and sizes of foregrounds on a background."""
