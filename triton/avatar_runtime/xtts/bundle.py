"""The exported XTTS in its folder: graphs, tables, voices and vocabulary, checked against one another."""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from avatar_runtime.bundle import Bundle
from avatar_runtime.xtts.gpt import Sizes
from avatar_runtime.xtts.graphs import (
    AUDIO,
    EMBEDS,
    HIDDEN,
    KEYS,
    LATENTS,
    LENGTHS,
    LOGITS,
    MANIFEST,
    RESAMPLE,
    SOUND,
    SPEAKER,
    VALUES,
    VOCABULARY,
    past_names,
)

EXPORT = "antlitz export xtts --checkpoint DIR"
ENDS = {
    "conditioning": ({AUDIO}, {LATENTS}),
    "speaker": ({AUDIO}, {SPEAKER}),
    "vocoder": ({HIDDEN, RESAMPLE, SPEAKER}, {SOUND}),
}


class XttsBundle:
    """Opens what an export wrote. Every method raises `engine_unavailable`, naming the file and the command."""

    def __init__(self, folder: Path, threads: int = 0, providers: tuple[str, ...] = ()) -> None:
        """`threads` 0: every core. `providers`: ONNX Runtime's, before the processor."""
        self._providers = providers
        self._bundle = Bundle(folder, MANIFEST, EXPORT)
        self._threads = threads
        self.vocabulary = folder / VOCABULARY
        told = self._bundle.told()
        try:
            self.sizes = Sizes(**{item.name: int(told["sizes"][item.name]) for item in fields(Sizes)})
            self.checkpoint = str(told["checkpoint_sha256"])
            bytes.fromhex(self.checkpoint)
        except (KeyError, TypeError, ValueError) as error:
            raise self._bundle.refused(folder / MANIFEST, "does not tell the networks' sizes") from error

    def session(self, graph: str) -> ort.InferenceSession:
        """A graph with the ends it has to have."""
        # Only the GPT is stepped again and again.
        found = self._bundle.session(graph, self._threads, providers=self._providers, recorded=graph == "gpt")
        past = past_names(self.sizes.layers)
        gpt = ({EMBEDS, LENGTHS, *past}, {LOGITS, HIDDEN, KEYS, VALUES})
        for ends, wanted in zip((found.get_inputs(), found.get_outputs()), ENDS.get(graph, gpt), strict=True):
            if {end.name for end in ends} != wanted:
                raise self._bundle.refused(self._bundle.folder / f"{graph}.onnx", "is another graph")
        return found

    def arrays(self, name: str) -> dict[str, Any]:
        """The arrays of TABLES or VOICES."""
        path = self._bundle.folder / name
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                return {key: found[key] for key in found.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise self._bundle.refused(path, "is missing or broken") from error
