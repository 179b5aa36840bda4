"""LivePortrait's implicit keypoints: x = scale * (canonical @ R(pitch, yaw, roll) + expression) + translation.

Formula and order of the rotations as in the official `LivePortraitWrapper.transform_keypoint` and
`utils.camera.get_rotation_matrix` (KwaiVGI/LivePortrait, MIT); translation has no depth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def rotation(pose: Floats) -> Floats:
    """pose [..., 3]: pitch, yaw, roll in degrees -> R [..., 3, 3] for rows on its left: (R_z R_y R_x) transposed.

    With x right, y down and z into the picture, pitch > 0 nods down, yaw > 0 turns to the picture's *left* and
    roll > 0 tilts clockwise for the viewer.
    """
    sin, cos = np.moveaxis(np.sin(np.deg2rad(pose)), -1, 0), np.moveaxis(np.cos(np.deg2rad(pose)), -1, 0)
    (sx, sy, sz), (cx, cy, cz) = sin, cos
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    turned = np.stack([np.stack(row, -1) for row in rows], -2)
    return np.asarray(np.swapaxes(turned, -1, -2), np.float32)


def transform(canonical: Floats, pose: Floats, expression: Floats, translation: Floats, scale: Floats) -> Floats:
    """Keypoints [k, 21, 3] of canonical [21, 3], pose [k, 3], expression [k, 21, 3], translation [k, 3], scale [k]."""
    found = (canonical @ rotation(pose) + expression) * scale[:, None, None]
    found[..., :2] += translation[:, None, :2]
    return np.asarray(found, np.float32)
