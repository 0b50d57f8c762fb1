"""YAML presets: their folders, their files, and the mistakes in them."""
