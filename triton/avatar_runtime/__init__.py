"""What the models of the repository are made of: audio, ears, voices, motion and faces, without Triton."""
