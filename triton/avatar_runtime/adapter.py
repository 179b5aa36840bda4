"""The one module that knows Triton's Python backend: tensors in and out, sequences, errors.

Every ``1/model.py`` is written on these few functions; nothing below them imports ``triton_python_backend_utils``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import triton_python_backend_utils as pb  # type: ignore[import-not-found]  # exists inside the backend's stub only

from avatar_runtime.contracts import AvatarError, Code
from avatar_runtime.pool import Pool

T = TypeVar("T")

log = logging.getLogger("avatar_runtime")

WATCH_SECONDS = 0.02  # between two looks at whether a request that is being answered was cancelled
#: From the last answer of a decoupled model to the mark that ends the stream. Triton before 25.04 dies of a mark and a
#: cancellation at the same moment (its pull requests 7840 and 8078): who cancels has long been heard when it comes.
LINGER_SECONDS = 0.15
START_FLAG, END_FLAG = 1, 2  # TRITONSERVER_REQUEST_FLAG_SEQUENCE_START, _END


def models_dir() -> Path:
    """Where the weights are: ``ANTLITZ_MODELS``, set by whoever starts the server."""
    return Path(os.environ["ANTLITZ_MODELS"])


def parameter(args: Mapping[str, str], name: str, default: str = "") -> str:
    """A parameter of the model's config, from the `args` of initialize()."""
    said = json.loads(args["model_config"]).get("parameters", {})
    return str(said[name]["string_value"]) if name in said else default


def optional(request: Any, name: str) -> np.ndarray[Any, Any] | None:
    """The input tensor called `name`, or None when the request left it out."""
    tensor = pb.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy()


def array(request: Any, name: str) -> np.ndarray[Any, Any]:
    """The input tensor called `name`; `invalid_request` when it is missing."""
    found = optional(request, name)
    if found is None:
        raise AvatarError(Code.INVALID_REQUEST, f"The input {name} is missing.")
    return found


def strings(request: Any, name: str) -> list[str]:
    """A BYTES tensor as text, [] when left out."""
    found = optional(request, name)
    if found is None:
        return []
    try:
        return [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in found.reshape(-1)]
    except UnicodeDecodeError as error:
        raise AvatarError(Code.INVALID_REQUEST, f"The input {name} is not UTF-8.") from error


def text(request: Any, name: str, default: str = "") -> str:
    """A BYTES tensor of one element as text."""
    found = strings(request, name)
    return found[0] if found else default


def scalar(request: Any, name: str, default: float) -> float:
    """A numeric tensor of one element."""
    found = optional(request, name)
    return default if found is None or found.size == 0 else float(found.reshape(-1)[0])


def integer(request: Any, name: str, default: int) -> int:
    """A tensor of one whole number, of which none is rounded."""
    found = optional(request, name)
    return default if found is None or found.size == 0 else int(found.reshape(-1)[0])


def response(outputs: Mapping[str, np.ndarray[Any, Any] | Sequence[str]]) -> Any:
    """An inference response; lists of text become BYTES tensors."""
    tensors = []
    for name, value in outputs.items():
        if not isinstance(value, np.ndarray):
            value = np.array([item.encode("utf-8") for item in value], dtype=np.object_)
        tensors.append(pb.Tensor(name, np.ascontiguousarray(value)))
    return pb.InferenceResponse(output_tensors=tensors)


def failure(error: Exception) -> Any:
    """A response that says what went wrong: our own errors as they are, a crash as a short id."""
    if not isinstance(error, AvatarError):
        ident = secrets.token_hex(4)
        log.error("request failed, id %s", ident, exc_info=error)
        error = AvatarError(Code.INTERNAL, f"The model failed; the server's log has the details under {ident}.")
    return pb.InferenceResponse(output_tensors=[], error=pb.TritonError(str(error)))


def answer(request: Any, respond: Callable[[Any], Any]) -> Any:
    """`respond(request)`, with whatever it raises turned into a response."""
    try:
        return respond(request)
    except Exception as error:
        return failure(error)


def answer_together(requests: Sequence[Any], inputs: Sequence[str], run: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """`run(the inputs of each request)` once for all of them; what it raises is the answer to each.

    Inputs on a device stay there: as tensors that speak DLPack, all others as arrays.
    """
    try:
        return [response(found) for found in run([_inputs(request, inputs) for request in requests])]
    except Exception as error:
        return [failure(error) for _ in requests]


def _inputs(request: Any, names: Sequence[str]) -> dict[str, Any]:
    tensors = {name: pb.get_input_tensor_by_name(request, name) for name in names}
    return {name: tensor.as_numpy() if tensor.is_cpu() else tensor for name, tensor in tensors.items()}


def answer_decoupled(request: Any, produce: Callable[[Any, Any], None]) -> None:
    """`produce(request, sender)` for a decoupled model; errors are sent, and the end is always marked."""
    sender = request.get_response_sender()
    try:
        produce(request, sender)
    except Exception as error:
        sender.send(failure(error))
    finally:
        final = {"flags": pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL}
        threading.Timer(LINGER_SECONDS, sender.send, kwargs=final).start()


def answer_elsewhere(pool: Pool, request: Any, produce: Callable[[Any, Any], None]) -> None:
    """`answer_decoupled` in one of the pool's threads; when it is full, that is the answer."""
    try:
        pool.submit(answer_decoupled, request, produce)
    except AvatarError as full:
        refusal = failure(full)
        answer_decoupled(request, lambda _, sender: sender.send(refusal))


def send_speech(engine: Any, request: Any, sender: Any) -> None:
    """Answers a `tts` request with the chunks of ``engine.speak(text, language, voice, speed)``, until cancelled."""
    chunks = engine.speak(
        text(request, "TEXT"), text(request, "LANGUAGE"), text(request, "VOICE"), scalar(request, "SPEED", 1.0)
    )
    with watched(request, engine.stop):
        send_chunks(chunks, request, sender)


@contextlib.contextmanager
def watched(request: Any, stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` from a thread of its own, again and again, as long as `request` is cancelled and work goes on."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(WATCH_SECONDS):
            if request.is_cancelled():
                stop()

    watcher = threading.Thread(target=watch, name="cancellation", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def send_chunks(chunks: Any, request: Any, sender: Any) -> None:
    """Sends the chunks (`voices.engine.Chunk`) of an iterator, which is closed when the request is cancelled.

    After the last one an empty one says that it was.
    """
    try:
        while not request.is_cancelled():
            chunk = next(chunks, None)
            if chunk is None:
                nothing = np.zeros(0, np.float32)
                sender.send(_chunk(nothing, "", [], nothing.reshape(0, 2)))
                return
            sender.send(_chunk(chunk.audio, chunk.text, chunk.phonemes, chunk.times))
    finally:
        chunks.close()


def _chunk(audio: np.ndarray[Any, Any], text: str, phonemes: Sequence[str], times: np.ndarray[Any, Any]) -> Any:
    return response({"AUDIO": audio, "TEXT": [text], "PHONEMES": phonemes, "PHONEME_TIMES": times})


def draw(renderer: Any, stream: Any, request: Any) -> Any:
    """Answers a `render` request from its sequence's `stream`; a portrait that it brings is the renderer's to find."""
    picture, sha256 = optional(request, "PORTRAIT"), text(request, "PORTRAIT_SHA256")
    if picture is not None or sha256:
        data = None if picture is None else picture.tobytes()
        stream.open(renderer.portrait(sha256, data), text(request, "FORMAT"))
    return response({"FRAMES": stream.frames(array(request, "MOTION"))})


class Sequences(Generic[T]):
    """The state of each running sequence by correlation id, bounded: the one unused longest goes first."""

    def __init__(self, new: Callable[[], T], limit: int = 64) -> None:
        self._new = new
        self._limit = limit
        self._running: OrderedDict[int | str, T] = OrderedDict()
        self._lock = threading.Lock()

    def state(self, request: Any) -> T:
        """The state that `request` belongs to; a start flag makes a fresh one, an end flag forgets it afterwards."""
        key, flags = request.correlation_id(), request.flags()
        with self._lock:
            if flags & START_FLAG:
                self._running.pop(key, None)
            elif key not in self._running:
                raise AvatarError(Code.INVALID_REQUEST, "This sequence has not been started, or has timed out.")
            state = self._running.pop(key, None)
            if state is None:
                state = self._new()
            if not flags & END_FLAG:
                self._running[key] = state
                while len(self._running) > self._limit:
                    self._running.popitem(last=False)
        return state


def ends(request: Any) -> bool:
    """Whether `request` is the last of its sequence."""
    return bool(request.flags() & END_FLAG)


class Models:
    """Other models of the same server, asked from inside execute() (business logic scripting)."""

    def __init__(self, args: Mapping[str, str], together: int = 8) -> None:
        """args: those of initialize(); at most `together` requests are on their way at a time."""
        self._device = int(args["model_instance_device_id"]) if args["model_instance_kind"] == "GPU" else None
        self._pool = ThreadPoolExecutor(together, "bls")

    def __call__(self, calls: Sequence[tuple[str, Mapping[str, Any], Sequence[str], bool]]) -> list[dict[str, Any]]:
        """Sends requests together and waits for all: model, inputs, names of outputs, whether they stay on the device.

        Inputs are arrays, or tensors of an earlier answer, which are handed on as they are. Outputs that stay come
        back as such tensors, the others as arrays. Raises `engine_unavailable` when a model is not there or fails.
        """
        requests = [self._request(*call) for call in calls]
        # exec() releases the interpreter's lock while it waits; async_exec() is the same call in asyncio's threads.
        answers = self._pool.map(lambda request: request.exec(), requests)
        return [self._read(answer, *call) for answer, call in zip(answers, calls, strict=True)]

    def _request(self, model: str, inputs: Mapping[str, Any], outputs: Sequence[str], stay: bool) -> Any:
        on_device = stay and self._device is not None
        memory = (pb.TRITONSERVER_MEMORY_GPU, self._device) if on_device else (pb.TRITONSERVER_MEMORY_CPU, 0)
        tensors = [
            pb.Tensor(name, np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
            for name, value in inputs.items()
        ]
        return pb.InferenceRequest(
            model_name=model,
            requested_output_names=list(outputs),
            inputs=tensors,
            preferred_memory=pb.PreferredMemory(*memory),
        )

    def _read(
        self, answer: Any, model: str, inputs: Mapping[str, Any], outputs: Sequence[str], stay: bool
    ) -> dict[str, Any]:
        if answer.has_error():
            log.error("%s: %s", model, answer.error().message())
            raise AvatarError(
                Code.ENGINE_UNAVAILABLE, f"The network {model} did not answer; the server's log says why."
            )
        found = {name: pb.get_output_tensor_by_name(answer, name) for name in outputs}
        return found if stay else {name: np.array(tensor.as_numpy()) for name, tensor in found.items()}
