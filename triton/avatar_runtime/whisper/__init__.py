"""Whisper in ONNX Runtime: features -> model -> decoding -> alignment -> transcription, a module each."""
