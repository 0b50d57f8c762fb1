"""The config: plugin hooks, the registry of stages, the root settings, and Hydra."""
