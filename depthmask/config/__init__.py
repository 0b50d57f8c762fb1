"""Stages as config: hooks, registry, the root, and Hydra."""
