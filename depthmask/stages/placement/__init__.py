"""Placements: where on the background a foreground goes."""
