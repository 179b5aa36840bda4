"""Faces: decoding a picture, finding the face in it, and moving it."""
