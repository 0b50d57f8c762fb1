"""Any monocular depth model in ONNX as a depth estimator of depthmask: `depth=onnx`."""
