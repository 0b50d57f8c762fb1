"""Blends: how the pixels of a foreground are mixed into the image."""
