"""The exported XTTS graphs: tensor names, rates and files. Written by `export`, run by this package.

``conditioning``
    in: AUDIO f32 [b, n] 22.05 kHz, one passage of a reference. out: LATENTS f32 [b, 32, w]; the mean over passages is
    what the GPT is told of a voice.
``speaker``
    in: AUDIO f32 [b, n] 16 kHz, the whole reference. out: SPEAKER f32 [b, s], what the vocoder is told of it.
``gpt``
    in: EMBEDS [b, m, w], the new positions of each row (all of a prefix, or one code); LENGTHS i64 [b], how much of
    the past counts; KEY_i, VALUE_i [b, h, p, w / h] for each layer i, the past, of which anything behind LENGTHS is
    ignored. out: LOGITS f32 [b, codes] and HIDDEN f32 [b, w] at each row's last position; KEYS, VALUES
    [layers, b, h, m, w / h] of the new positions. The cache is read where it lies: who runs the graph appends to it.
``vocoder``
    in: HIDDEN f32 [b, n, w]; RESAMPLE f32 [b, m, n], m >= 2, how frames of 256 samples mix the hidden states; SPEAKER.
    out: SOUND f32 [b, 256 * m] 24 kHz, -1..1.

EMBEDS, KEY, VALUE, KEYS and VALUES are f16 in an fp16 export. Beside the graphs: TABLES (text, text_positions, codes,
code_positions: the embeddings f32), VOICES (names; latents f32 [v, 32, w]; speakers f32 [v, s]), VOCABULARY and
MANIFEST.
"""

from __future__ import annotations

from typing import Final

AUDIO: Final = "AUDIO"
LATENTS: Final = "LATENTS"
SPEAKER: Final = "SPEAKER"
EMBEDS: Final = "EMBEDS"
LENGTHS: Final = "LENGTHS"
KEY: Final = "KEY_"  # and the layer's number
VALUE: Final = "VALUE_"
LOGITS: Final = "LOGITS"
HIDDEN: Final = "HIDDEN"
KEYS: Final = "KEYS"
VALUES: Final = "VALUES"
RESAMPLE: Final = "RESAMPLE"
SOUND: Final = "SOUND"

GRAPHS: Final = ("conditioning", "speaker", "gpt", "vocoder")
FOLDER: Final = "xtts"  # below ANTLITZ_MODELS
TABLES: Final = "tables.npz"
VOICES: Final = "voices.npz"
VOCABULARY: Final = "vocab.json"
MANIFEST: Final = "xtts.json"  # sizes and token ids; precision, SHA-256 of checkpoint and graphs

CONDITIONING_RATE: Final = 22_050  # Hz
SPEAKER_RATE: Final = 16_000  # Hz
CONDITIONING_LATENTS: Final = 32  # that a voice has, whatever the width: the perceiver's num_latents
CODE_SAMPLES: Final = 1024  # at CONDITIONING_RATE: one code is 46 ms
CUDA: Final = "CUDAExecutionProvider"  # ONNX Runtime's name for a GPU
LEAST_FRAMES: Final = 2  # that the vocoder takes
FRAME_SAMPLES: Final = 256  # at SPEAKING_RATE, what the vocoder makes of one frame


def past_names(layers: int) -> list[str]:
    """The cache's inputs in the order of the signature."""
    return [name for layer in range(layers) for name in (f"{KEY}{layer}", f"{VALUE}{layer}")]
