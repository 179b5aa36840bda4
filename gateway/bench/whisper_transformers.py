"""transformers' Whisper on a checkpoint folder: run as a file by the Python that transformers is installed in.

Usage: PYTHON whisper_transformers.py FOLDER TOKENS MEL.npy STEER.json OUT.npz. For the log-mel [1, bins, n] of any
length up to 30 s it writes the encoder's states, and the likeliest TOKENS tokens after those of STEER with the logits
before each and the shares of attention of the alignment heads. transformers' own modules and cache run; for less than
30 s, which it refuses, its table of positions is cut, as OpenAI's model allows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration


@torch.inference_mode()
def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    mel = torch.from_numpy(np.load(sys.argv[3]))
    steer = json.loads(Path(sys.argv[4]).read_text("utf-8"))
    model = WhisperForConditionalGeneration.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, local_files_only=True
    ).eval()
    encoder, positions = model.model.encoder, (mel.shape[2] + 1) // 2
    encoder.embed_positions = torch.nn.Embedding.from_pretrained(encoder.embed_positions.weight[:positions])
    encoder.config.max_source_positions = positions
    states = encoder(mel[:, :, : 2 * positions]).last_hidden_state
    heads = model.generation_config.alignment_heads
    given, cache, tokens, logits, shares = steer["tokens"], None, [], [], []
    for _ in range(count):
        out = model(
            encoder_outputs=(states,),
            decoder_input_ids=torch.tensor([given]),
            past_key_values=cache,
            use_cache=True,
            output_attentions=True,
        )
        cache = out.past_key_values
        logits.append(out.logits[0, -1].numpy())
        shares.append(np.stack([out.cross_attentions[layer][0, head].numpy() for layer, head in heads]))
        given = [int(logits[-1].argmax())]
        tokens += given
    np.savez(
        sys.argv[5],
        states=states.numpy(),
        tokens=np.array(tokens),
        logits=np.stack(logits),
        attention=np.concatenate(shares, 1),
    )


main()
