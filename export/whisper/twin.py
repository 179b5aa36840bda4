"""A checkpoint for machines without a published one: seeded random weights in transformers' layout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from avatar_runtime.whisper.exported import VOCABULARY
from export.whisper.checkpoint import CONFIG, TENSORS
from export.whisper.config import PUBLISHED, Config
from export.whisper.model import Whisper, seeded

LANGUAGES = ("en", "de")
TASKS = ("translate", "transcribe")
TIMESTAMPS = 1501  # 0 to 30 s in steps of 20 ms
HEADS = [[1, 0], [1, 3]]
SENTENCE = " abcdefghijklmnopqrs"  # 20 tokens, no two the same
STEER = 4  # tokens before the first of a text: start, language, task, no times
LOUD = 4.0  # length of a recited token's row; every other's is 1
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{each}|>" for each in (*LANGUAGES, *TASKS)),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
BYTES = 256
TOKENS = BYTES + len(SPECIAL) + TIMESTAMPS


def narrow(bins: int = 80) -> Config:
    """The same networks, small; `bins` as in one of the published sizes."""
    return Config(
        bins=bins,
        width=64,
        encoder_layers=2,
        encoder_heads=4,
        encoder_inner=256,
        decoder_layers=2,
        decoder_heads=4,
        decoder_inner=256,
        tokens=TOKENS,
    )


def tokenizer() -> Tokenizer:
    """Every byte a token, then what steers, in the published order."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={each: index for index, each in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    times = [f"<|{index * 0.02:.2f}|>" for index in range(TIMESTAMPS)]
    made.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in (*SPECIAL, *times)])
    return made


def recite(model: Whisper, tokens: Sequence[int]) -> None:
    """Makes the decoder say `tokens` whatever it hears: each row of the table points where its place does.

    Random weights by themselves say hundreds of tokens that are all unlikely, and every guard asks for them again; how
    long that takes tells nothing of speech.
    """
    table, places = model.decoder.embed_tokens.weight, model.decoder.embed_positions.weight
    for place, token in enumerate(tokens, STEER - 1):
        table[token] = LOUD * places[place] / places[place].norm()


def write(folder: Path, config: Config, seed: int = 0, says: str = "") -> Whisper:
    """Writes a checkpoint folder as it is published, of networks of `config`'s sizes, that may recite a text."""
    folder.mkdir(parents=True, exist_ok=True)
    model, words = seeded(config, seed), tokenizer()
    if says:
        recite(model, [*words.encode(says).ids, words.token_to_id(SPECIAL[0])])
    ids = {each.strip("<|>"): words.token_to_id(each) for each in SPECIAL}
    end, start = ids["endoftext"], ids["startoftranscript"]
    shared = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": start}
    told = {theirs: getattr(config, ours) for theirs, ours in PUBLISHED.items()}
    told |= {"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "suppress_tokens": None}
    generation = {
        "alignment_heads": HEADS,
        "lang_to_id": {f"<|{each}|>": ids[each] for each in LANGUAGES},
        "task_to_id": {each: ids[each] for each in TASKS},
        "no_timestamps_token_id": ids["notimestamps"],
        "suppress_tokens": [each for name, each in ids.items() if name != "endoftext"],
        "begin_suppress_tokens": [end],
        "is_multilingual": True,
        "max_length": config.length,
    }
    words.save(str(folder / VOCABULARY[0]))
    (folder / VOCABULARY[1]).write_text(json.dumps(generation | shared, indent=1), "utf-8")
    (folder / CONFIG).write_text(json.dumps(told | shared, indent=1), "utf-8")
    save_file(model.state_dict(), folder / TENSORS, {"format": "pt"})
    return model
