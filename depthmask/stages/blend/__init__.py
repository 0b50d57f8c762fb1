"""Blends: how a cut-out gets into the picture."""
