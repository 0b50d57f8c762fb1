"""Presets: the settings of `onnx` for models as published."""
