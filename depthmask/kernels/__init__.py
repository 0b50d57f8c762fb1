"""Loops over pixels, compiled where that pays; each has a fallback that gives the same bytes."""
