"""Packages for new stages, made from templates: one for each kind."""
