"""The gateway: WebRTC sessions, turns, playout and REST in front of Triton."""
