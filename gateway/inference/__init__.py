"""The gateway's one door to Triton.

`Inference` (roles.py) has a method for each role and asks a `Tritonserver` (server.py), which the `Fleet` (fleet.py)
chooses; what has a memory in the server is a stream (streams.py).
"""

from gateway.inference.failures import to_avatar_error
from gateway.inference.roles import Faces, Inference, Speech

__all__ = ["Faces", "Inference", "Speech", "to_avatar_error"]
