"""The config: `config.yaml` chooses a stage for each group, presets choose several."""
