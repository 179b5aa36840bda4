"""LivePortrait's networks in PyTorch, and their way to ONNX. Parameter names are those of the published files."""
