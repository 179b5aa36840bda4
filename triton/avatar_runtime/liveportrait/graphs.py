"""The exported LivePortrait graphs: tensor names, sizes and files. Written by `export`, run by this package.

``source``, once a portrait
    in: IMAGE u8 [b, 256, 256, 3], the RGB crop.
    out: FEATURE [b, 32, 16, 64, 64], the appearance volume; COMPRESSED [b, 4, 16, 64, 64], its copy for dense motion;
    CANONICAL f32 [b, 21, 3], keypoints without pose and expression; POSE f32 [b, 3], pitch, yaw, roll in degrees;
    EXPRESSION f32 [b, 21, 3]; TRANSLATION f32 [b, 3]; SCALE f32 [b, 1]; SOURCE f32 [b, 21, 3], the keypoints that
    these make.
``frame``, once a frame
    in: FEATURE, COMPRESSED, SOURCE; DRIVEN f32 [b, 21, 3], the keypoints wanted, before stitching.
    out: FRAME u8 [b, 768, 512], planar I420 (BT.601, limited range) of the crop.
``retarget``, once a frame, tiny
    in: SOURCE; EYES f32 [b, 3], how far the eyes at the picture's left and right are open in the source, and how far
    they shall be; LIPS f32 [b, 2], the same of the lips (both ratios as `ratios` measures them).
    out: EYES_DELTA f32 [b, 21, 3], LIPS_DELTA f32 [b, 21, 3], to be added to DRIVEN.

Keypoints live in the crop: x to the right, y down, z into the picture, each -1..1. FEATURE and COMPRESSED are f32
or f16 as the export's precision says; every other float tensor is f32.
"""

from __future__ import annotations

from typing import Final

IMAGE: Final = "IMAGE"
FEATURE: Final = "FEATURE"
COMPRESSED: Final = "COMPRESSED"
CANONICAL: Final = "CANONICAL"
POSE: Final = "POSE"
EXPRESSION: Final = "EXPRESSION"
TRANSLATION: Final = "TRANSLATION"
SCALE: Final = "SCALE"
SOURCE: Final = "SOURCE"
DRIVEN: Final = "DRIVEN"
FRAME: Final = "FRAME"
EYES: Final = "EYES"
LIPS: Final = "LIPS"
EYES_DELTA: Final = "EYES_DELTA"
LIPS_DELTA: Final = "LIPS_DELTA"

#: graph -> (inputs, outputs), in the order of the exported signature.
SIGNATURES: Final = {
    "source": ((IMAGE,), (FEATURE, COMPRESSED, CANONICAL, POSE, EXPRESSION, TRANSLATION, SCALE, SOURCE)),
    "frame": ((FEATURE, COMPRESSED, SOURCE, DRIVEN), (FRAME,)),
    "retarget": ((SOURCE, EYES, LIPS), (EYES_DELTA, LIPS_DELTA)),
}

FOLDER: Final = "liveportrait"  # below ANTLITZ_MODELS: source.onnx, frame.onnx, retarget.onnx and MANIFEST
MANIFEST: Final = "liveportrait.json"  # what was exported from what: precision, SHA-256 of checkpoint and graphs

CROP_SIZE: Final = 256  # pixels, both ways: what the networks see
KEYPOINTS: Final = 21
MAX_BATCH: Final = 8  # frames that one call may carry
