"""Playout: audio and video leave by one clock, and audio is the master."""
