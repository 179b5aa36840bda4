"""A checkpoint for machines without the published one: seeded random weights, the published voices' names."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch

from avatar_runtime.xtts.graphs import CONDITIONING_LATENTS
from export.xtts.checkpoint import CONFIG, MODEL, SPEAKERS, VOCABULARY
from export.xtts.config import FIELDS, Config
from export.xtts.model import Xtts, seeded

#: The built-in voices of XTTS-v2, as its speakers_xtts.pth names them.
NAMES = (
    "Claribel Dervla", "Daisy Studious", "Gracie Wise", "Tammie Ema", "Alison Dietlinde", "Ana Florence",
    "Annmarie Nele", "Asya Anara", "Brenda Stern", "Gitta Nikolina", "Henriette Usha", "Sofia Hellen", "Tammy Grit",
    "Tanja Adelina", "Vjollca Johnnie", "Andrew Chipper", "Badr Odhiambo", "Dionisio Schuyler", "Royston Min",
    "Viktor Eka", "Abrahan Mack", "Adde Michal", "Baldur Sanjin", "Craig Gutsy", "Damien Black", "Gilberto Mathias",
    "Ilkin Urbano", "Kazuhiko Atallah", "Ludvig Milivoj", "Suad Qasim", "Torcull Diarmuid", "Viktor Menelaos",
    "Zacharie Aimilios", "Nova Hogarth", "Maja Ruoho", "Uta Obando", "Lidiya Szekeres", "Chandra MacFarland",
    "Szofi Granger", "Camilla Holmström", "Lilya Stainthorpe", "Zofija Kendrick", "Narelle Moon", "Barbora MacLean",
    "Alexandra Hisakawa", "Alma María", "Rosemary Okafor", "Ige Behringer", "Filip Traverse", "Damjan Chapman",
    "Wulf Carlevaro", "Aaron Dreschner", "Kumar Dahl", "Eugenio Mataracı",  # noqa: RUF001 - his name
    "Ferran Simen", "Xavier Hayasaka",
    "Luis Moray", "Marcos Rudaski",
)  # fmt: skip
STOP_BIAS = 1.0  # so that a random voice ends by itself, after a second or two
LOUDNESS = 0.05  # of its sound, about


def write(folder: Path, config: Config, vocabulary: Path, seed: int = 0) -> Xtts:
    """Writes a checkpoint folder as it is published, of networks of `config`'s sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    model = seeded(config, seed)
    _audible(model)
    published = {theirs: getattr(config, ours) for theirs, ours in FIELDS.items()}
    told = {
        "model_args": {**published, "gpt_use_perceiver_resampler": True},
        "antlitz_twin": dataclasses.asdict(config),
    }
    told |= {"gpt_cond_len": config.reference_seconds, "gpt_cond_chunk_len": config.chunk_seconds}
    (folder / CONFIG).write_text(json.dumps(told, indent=1), "utf-8")
    (folder / VOCABULARY).write_bytes(vocabulary.read_bytes())
    torch.save({"model": model.state_dict()}, folder / MODEL)
    random = torch.Generator().manual_seed(seed)
    voices = {
        name: {
            "gpt_cond_latents": torch.randn(1, CONDITIONING_LATENTS, config.width, generator=random),
            "speaker_embedding": torch.nn.functional.normalize(
                torch.randn(1, config.speaker, 1, generator=random), dim=1
            ),
        }
        for name in NAMES
    }
    torch.save(voices, folder / SPEAKERS)
    return model


@torch.inference_mode()
def _audible(model: Xtts) -> None:
    """Random networks whisper and never stop: the last convolution made louder, the stop likelier."""
    config, vocoder = model.config, model.hifigan_decoder.waveform_decoder
    model.gpt.mel_head.bias[config.stop_code] += STOP_BIAS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sound = vocoder(torch.randn(1, config.width, 40), torch.randn(1, config.speaker) * config.speaker**-0.5)
    vocoder.conv_post.weight *= LOUDNESS / sound.std().clamp(min=1e-6)
