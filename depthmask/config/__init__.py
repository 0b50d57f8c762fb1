"""The registry of stages, the loading of plugins, the root settings, and configs by Hydra."""
