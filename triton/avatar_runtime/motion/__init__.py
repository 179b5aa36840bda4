"""Face motion from speech: audio, phonemes and an emotion in, ARKit blend shapes and head pose out, 25 a second.

`FaceMotion` holds one sequence. The parts below it are pure functions of absolute time and a seed, so that a
sequence comes out the same however its audio is cut into requests.
"""

from avatar_runtime.motion.face import FaceMotion

__all__ = ["FaceMotion"]
