"""YAML configs: `config.yaml` with the default stage of each group, and presets."""
