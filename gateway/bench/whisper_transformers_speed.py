"""transformers' Whisper as its users run it: run as a file by the Python that transformers is installed in.

Usage: PYTHON whisper_transformers_speed.py FOLDER SOUNDS.npz OUT.json ROUNDS [DEVICE]. Each sound (16 kHz) is made a
log-mel by transformers' own feature extractor, generated from greedily, and decoded: in float32 on two threads, or on a
GPU ("cuda") in float16. Writes the texts, and the sum of each sound's median seconds. With a DEVICE the language is
given.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration


@torch.inference_mode()
def main() -> None:
    folder, rounds, device = Path(sys.argv[1]), int(sys.argv[4]), (sys.argv[5:] or ["cpu"])[0]
    dtype = torch.float16 if device == "cuda" else torch.float32
    torch.set_num_threads(2)
    model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=dtype, local_files_only=True)
    model.eval().to(device)
    features = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    told = {"language": "en", "task": "transcribe"} if sys.argv[5:] else {}

    def hear(audio: np.ndarray) -> str:
        mel = features(audio, sampling_rate=16_000, return_tensors="pt").input_features.to(device, dtype)
        return str(words.decode(model.generate(mel, **told)[0].tolist(), skip_special_tokens=True))

    with np.load(sys.argv[2]) as sounds:
        audios = [sounds[name] for name in sounds.files]
    hear(audios[0])
    texts, total = [], 0.0
    for audio in audios:
        took = []
        for _ in range(rounds):
            start = time.perf_counter()
            text = hear(audio)
            took.append(time.perf_counter() - start)
        texts.append(text)
        total += statistics.median(took)
    Path(sys.argv[3]).write_text(json.dumps({"texts": texts, "seconds": total}), "utf-8")


main()
