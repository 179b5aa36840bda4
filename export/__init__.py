"""Checkpoint -> ONNX -> TensorRT. Empty until the first network (LivePortrait) is exported."""
