"""XTTS-v2: a cloned voice in 17 languages, without coqui."""
