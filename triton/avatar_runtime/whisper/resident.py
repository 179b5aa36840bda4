"""Whisper on a device: caches that stay there, and every text that is being written takes part in one step.

Each utterance has a row of the caches from when it is heard until nobody holds its `Heard` any more. One thread
steps whatever texts wait for their next token, together; texts are fed from any number of threads. All utterances are
heard in the full context of 30 s, so that rows have one shape.
"""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto

from avatar_runtime.appending import AT, CACHE, NEXT, appending
from avatar_runtime.replay import Replay, plain
from avatar_runtime.whisper import exported as names
from avatar_runtime.whisper.network import Sizes

Array = NDArray[np.float32]
log = logging.getLogger("avatar_runtime")

APART = 1e-2  # that a recorded step may be from a plain one, of the largest value: another kernel may be chosen
ROWS = 8  # utterances at once; one more waits until a row is free. large-v3 in f16: 0.32 GB each


@dataclass(eq=False)
class Heard:
    """One utterance in its row of the caches; the row is free when this is gone."""

    row: int


@dataclass(eq=False)
class Text:
    """What the decoder remembers of one text; of an utterance one at a time."""

    heard: Heard
    attention: list[Array] = field(default_factory=list)  # each [heads, n, t] for the n tokens fed at once
    length: int = 0


@dataclass(eq=False)
class _Fed:
    text: Text
    tokens: list[int]
    done: Future[Array] = field(default_factory=Future)


class Resident:
    """What `decoding` asks of a Whisper. `encode` gives the states [1, t, w] of a spectrogram [1, bins, 3000]."""

    def __init__(
        self,
        session: Callable[[str], ort.InferenceSession],
        sizes: Sizes,
        provider: str,
        encode: Callable[[Array], NDArray[Any]] | None = None,
        rows: int = ROWS,
    ) -> None:
        """`session` opens a graph by its name; without `encode` the encoder is one of them."""
        self.sizes, self.bands = sizes, sizes.bins
        self.max_length, self.positions = sizes.length, sizes.positions
        self.least_positions = sizes.positions
        self._device = "cuda" if provider.startswith("CUDA") else "cpu"
        if encode is None:
            encoder = session("encoder")
            encode = lambda mel: encoder.run([names.STATES], {names.MEL: mel})[0]  # noqa: E731
        self._encode = encode
        self._cross, self._decoder = session("cross"), session("decoder")
        self._past = names.past_names(sizes.decoder_layers)
        self._memory = names.cross_names(sizes.decoder_layers)
        kinds = {end.name: end.type for end in self._decoder.get_inputs()}
        self._type = np.float16 if kinds[self._past[0]] == "tensor(float16)" else np.float32
        kind = TensorProto.FLOAT16 if self._type is np.float16 else TensorProto.FLOAT
        self._append = appending(sizes.decoder_layers, kind, provider, recorded=True)
        self._caches = {name: self._made(rows, sizes.length) for name in self._past}
        self._caches |= {name: self._made(rows, sizes.positions) for name in self._memory}
        self._free: queue.LifoQueue[int] = queue.LifoQueue()
        for row in reversed(range(rows)):
            self._free.put(row)
        self._waiting: queue.SimpleQueue[_Fed] = queue.SimpleQueue()
        self._running = threading.Lock()  # of the device: one run at a time
        # One token for the first row alone, or for any of them.
        recorded = {count: self._record(number, count) for number, count in enumerate(sorted({1, rows}), 1)}
        self._recorded = {count: runs for count, runs in recorded.items() if self._agrees(runs[0], count)}
        threading.Thread(target=self._run, name="whisper", daemon=True).start()

    # --- what decoding asks -------------------------------------------------------------------------------
    def understand(self, mel: Array) -> Heard:
        """A spectrogram [bins, 3000] in a row of its own; waits for one. Raises what the encoder raises."""
        states = np.ascontiguousarray(self._encode(mel[None]))
        heard = Heard(self._free.get())
        weakref.finalize(heard, self._free.put, heard.row)
        binding = self._cross.io_binding()
        binding.bind_cpu_input(names.STATES, states)
        for name in self._memory:
            self._bind(binding.bind_output, name, self._caches[name], heard.row, 1)
        with self._running:
            self._cross.run_with_iobinding(binding)
        return heard

    def begin(self, heard: Heard) -> Text:
        """The text before its first token. What was written about `heard` before is forgotten."""
        return Text(heard)

    def feed(self, text: Text, tokens: list[int]) -> Array:
        """Append `tokens` to `text`: the logits [n, vocabulary] after each."""
        fed = _Fed(text, tokens)
        self._waiting.put(fed)
        return fed.done.result()

    # --- the thread that steps ------------------------------------------------------------------------------
    def _run(self) -> None:
        while True:
            self._round(self._waiting.get())

    def _round(self, first: _Fed) -> None:
        """One text, and whatever waits behind it. Nothing is held afterwards: a text that is held keeps its row."""
        waiting = [first]
        while not self._waiting.empty():
            waiting.append(self._waiting.get())
        for fed in waiting:
            if len(fed.tokens) != 1:
                self._answer([fed])
        single = [fed for fed in waiting if len(fed.tokens) == 1]
        if single:
            self._answer(single)

    def _answer(self, group: list[_Fed]) -> None:
        try:
            found = self._step(group)
        except Exception as error:  # whoever waits is told, and the next finds a working engine
            log.exception("Whisper: a step failed")
            for fed in group:
                fed.done.set_exception(error)
            return
        for fed, logits in zip(group, found, strict=True):
            fed.done.set_result(logits)

    def _record(self, number: int, rows: int) -> tuple[Replay, Replay]:
        """A step of one token for the first `rows`, and the appending behind it."""
        sizes, heads = self.sizes, self.sizes.decoder_heads
        looks = next(end.shape[1] for end in self._decoder.get_outputs() if end.name == names.ATTENTION)
        run, append = Replay(self._decoder, self._device, number), Replay(self._append, self._device, number)
        run.input(names.TOKENS, np.zeros((rows, 1), np.int64))
        run.input(names.LENGTHS, np.zeros(rows, np.int64))
        run.input(names.HEARD, np.full(rows, self.positions, np.int64))
        for name, cache in self._caches.items():
            self._bind(run.binding.bind_input, name, cache, 0, rows)
        run.output(names.LOGITS, np.zeros((rows, 1, sizes.tokens), np.float32))
        run.output(names.ATTENTION, np.zeros((rows, looks, 1, self.positions), np.float32))
        new = np.zeros((sizes.decoder_layers, rows, heads, 1, sizes.width // heads), self._type)
        append.input(names.KEYS, run.output(names.KEYS, new))
        append.input(names.VALUES, run.output(names.VALUES, new))
        append.input(AT, np.full(rows, sizes.length, np.int64))
        self._bind_all(append.binding, 0, rows)
        run({})
        append({})
        return run, append

    def _agrees(self, run: Replay, rows: int) -> bool:
        """Whether the recorded `run` says what a plain run says, twice with different inputs."""
        random = np.random.default_rng(0)
        for length in (1, self.sizes.length - 1):
            tokens, lengths = random.integers(0, self.sizes.tokens, (rows, 1)), random.integers(0, length, rows)
            run({names.TOKENS: tokens, names.LENGTHS: lengths})
            wanted = self._feed(tokens, lengths, np.full(rows, self.sizes.length, np.int64), 0)
            for name, values in zip((names.LOGITS, names.ATTENTION), wanted, strict=True):
                if not np.abs(run.read(name) - values).max() <= APART * np.abs(values).max():
                    log.warning("Whisper: a recorded step says something else (%s, %d rows), not used", name, rows)
                    return False
        return True

    def _step(self, group: list[_Fed]) -> list[Array]:
        """One run of the decoder: one token for any number of texts, or any number for one text."""
        count = len(group[0].tokens)
        places = [fed.text.heard.row for fed in group]
        first, rows, recorded = places[0], 1, 0
        if count == 1:
            recorded = next((size for size in self._recorded if size > max(places)), 0)
            first, rows = 0, recorded or max(places) + 1
        tokens = np.zeros((rows, count), np.int64)
        lengths = np.zeros(rows, np.int64)
        at = np.full(rows, self.sizes.length, np.int64)  # rows that wait for nothing are computed, and not kept
        for fed, row in zip(group, places, strict=True):
            tokens[row - first] = fed.tokens
            lengths[row - first] = at[row - first] = fed.text.length
        if recorded:
            said, looks = self._replay(rows, tokens, lengths, at)
        else:
            said, looks = self._feed(tokens, lengths, at, first)
        for fed, row in zip(group, places, strict=True):
            fed.text.length += count
            fed.text.attention.append(looks[row - first])
        return [said[row - first] for row in places]

    def _replay(
        self, rows: int, tokens: NDArray[np.int64], lengths: NDArray[np.int64], at: NDArray[np.int64]
    ) -> tuple[Array, Array]:
        """Logits and attention of one token for each of the first `rows`."""
        run, append = self._recorded[rows]
        with self._running:
            run({names.TOKENS: tokens, names.LENGTHS: lengths})
            append({AT: at})
            return run.read(names.LOGITS), run.read(names.ATTENTION)

    def _feed(
        self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], at: NDArray[np.int64], first: int
    ) -> tuple[Array, Array]:
        """Logits and attention of any number of tokens for the rows from `first` on."""
        rows = len(tokens)
        binding = self._decoder.io_binding()
        binding.bind_cpu_input(names.TOKENS, tokens)
        binding.bind_cpu_input(names.LENGTHS, lengths)
        binding.bind_cpu_input(names.HEARD, np.full(rows, self.positions, np.int64))
        for name, cache in self._caches.items():
            self._bind(binding.bind_input, name, cache, first, rows)
        for name in (names.LOGITS, names.ATTENTION):
            binding.bind_output(name, "cpu")
        for name in (names.KEYS, names.VALUES):
            binding.bind_output(name, self._device, 0)
        with self._running:
            self._decoder.run_with_iobinding(binding, plain())
            logits, attention, keys, values = binding.get_outputs()
            self._keep(keys, values, at, first, rows)
        return logits.numpy(), attention.numpy()

    def _keep(self, keys: Any, values: Any, at: NDArray[np.int64], first: int, rows: int) -> None:
        binding = self._append.io_binding()
        binding.bind_ortvalue_input(names.KEYS, keys)
        binding.bind_ortvalue_input(names.VALUES, values)
        binding.bind_cpu_input(AT, at)
        self._bind_all(binding, first, rows)
        self._append.run_with_iobinding(binding, plain())

    def _bind_all(self, binding: Any, first: int, rows: int) -> None:
        for index, name in enumerate(self._past):
            self._bind(binding.bind_input, f"{CACHE}{index}", self._caches[name], first, rows)
            self._bind(binding.bind_output, f"{NEXT}{index}", self._caches[name], first, rows)

    # --- memory of the device -------------------------------------------------------------------------------
    def _made(self, rows: int, room: int) -> ort.OrtValue:
        heads = self.sizes.decoder_heads
        shape = (rows, heads, room, self.sizes.width // heads)
        return ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, self._type), self._device, 0)

    def _bind(self, bind: Any, name: str, array: Any, first: int, rows: int) -> None:
        """Rows of a cache, where they lie."""
        row = array.shape()[1:]
        skipped = first * int(np.prod(row)) * np.dtype(self._type).itemsize
        bind(name, self._device, 0, self._type, [rows, *row], array.data_ptr() + skipped)
