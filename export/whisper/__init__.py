"""Whisper in PyTorch, and its way to ONNX. Parameter names are those that transformers publishes."""
