"""XTTS-v2 in PyTorch, and its way to ONNX. Parameter names are those of the published checkpoint."""
