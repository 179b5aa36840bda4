"""The exported Whisper graphs: tensor names and files. Written by `export`, run by `avatar_runtime.whisper.network`.

``encoder``
    in: MEL f32 [b, bins, n], 10 ms a frame, n from 2 to 3000. out: STATES [b, t, w], t = ceil(n / 2), 20 ms each.
``cross``
    in: STATES. out: CROSS_KEY_i, CROSS_VALUE_i [b, h, t, w / h] for each layer i of the decoder: once for a sound.
``decoder``
    in: TOKENS i64 [b, m], the new tokens of each row; LENGTHS i64 [b], how much of the past counts; HEARD i64 [b], how
    many of the t states count; KEY_i, VALUE_i [b, h, p, w / h], p >= 1, the past, of which anything behind LENGTHS is
    ignored; CROSS_KEY_i, CROSS_VALUE_i. out: LOGITS f32 [b, m, v] after each token; KEYS, VALUES
    [layers, b, h, m, w / h] of the new tokens; ATTENTION f32 [b, a, m, t], what the alignment heads look at. The cache
    is read where it lies: who runs the graph appends to it.

STATES and every key and value are f16 in an fp16 export. Beside the graphs: the vocabulary's two files and MANIFEST.
"""

from __future__ import annotations

from typing import Final

MEL: Final = "MEL"
STATES: Final = "STATES"
TOKENS: Final = "TOKENS"
LENGTHS: Final = "LENGTHS"
HEARD: Final = "HEARD"
KEY: Final = "KEY_"  # and the layer's number
VALUE: Final = "VALUE_"
CROSS_KEY: Final = "CROSS_KEY_"
CROSS_VALUE: Final = "CROSS_VALUE_"
LOGITS: Final = "LOGITS"
KEYS: Final = "KEYS"
VALUES: Final = "VALUES"
ATTENTION: Final = "ATTENTION"

GRAPHS: Final = ("encoder", "cross", "decoder")
VOCABULARY: Final = ("tokenizer.json", "generation_config.json")  # as published
MANIFEST: Final = "whisper.json"  # sizes, alignment heads, token ids; precision, SHA-256 of checkpoint and graphs


def past_names(layers: int) -> list[str]:
    """The cache's inputs in the order of the signature."""
    return [name for layer in range(layers) for name in (f"{KEY}{layer}", f"{VALUE}{layer}")]


def cross_names(layers: int) -> list[str]:
    """What `cross` gives and `decoder` takes, in the order of both signatures."""
    return [name for layer in range(layers) for name in (f"{CROSS_KEY}{layer}", f"{CROSS_VALUE}{layer}")]
