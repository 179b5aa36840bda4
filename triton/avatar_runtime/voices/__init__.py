"""Voices: text -> clauses -> phonemes -> audio with the time of every phoneme."""
