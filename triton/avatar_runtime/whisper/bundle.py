"""The exported Whisper in its folder: graphs and manifest, checked against one another."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import onnxruntime as ort

from avatar_runtime.bundle import Bundle
from avatar_runtime.whisper import exported as names
from avatar_runtime.whisper.network import Networks, Sizes

EXPORT = "antlitz export whisper --checkpoint DIR"


class WhisperBundle:
    """Opens what an export wrote. Every method raises `engine_unavailable`, naming the file and the command."""

    def __init__(self, folder: Path, threads: int = 0, providers: tuple[str, ...] = ()) -> None:
        """`threads` 0: every core. `providers`: ONNX Runtime's, before the processor."""
        self._bundle = Bundle(folder, names.MANIFEST, EXPORT)
        self._threads, self._providers = threads, providers
        told = self._bundle.told()
        try:
            self.sizes = Sizes(**{item.name: int(told["sizes"][item.name]) for item in fields(Sizes)})
        except (KeyError, TypeError, ValueError) as error:
            raise self._bundle.refused(folder / names.MANIFEST, "does not tell the networks' sizes") from error

    def networks(self) -> Networks:
        """The three graphs with the ends they have to have."""
        return Networks(self.session, self.sizes)

    def session(self, graph: str) -> ort.InferenceSession:
        """A graph with the ends it has to have."""
        # Only the decoder is stepped again and again.
        found = self._bundle.session(graph, self._threads, providers=self._providers, recorded=graph == "decoder")
        past, cross = names.past_names(self.sizes.decoder_layers), names.cross_names(self.sizes.decoder_layers)
        steered = [names.TOKENS, names.LENGTHS, names.HEARD]
        wanted = {
            "encoder": ([names.MEL], [names.STATES]),
            "cross": ([names.STATES], cross),
            "decoder": ([*steered, *past, *cross], [names.LOGITS, names.KEYS, names.VALUES, names.ATTENTION]),
        }[graph]
        if ([end.name for end in found.get_inputs()], [end.name for end in found.get_outputs()]) != wanted:
            raise self._bundle.refused(self._bundle.folder / f"{graph}.onnx", "is not a graph of this model")
        return found
