"""Checkpoint -> ONNX -> TensorRT: a folder for each network, `antlitz export NETWORK` for all of them."""
