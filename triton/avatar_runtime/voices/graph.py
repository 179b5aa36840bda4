"""ONNX sessions of voices: the predicted durations, which both networks keep to themselves, become an output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort

from avatar_runtime.contracts import AvatarError, Code

DURATIONS = "durations"


def with_durations(path: Path) -> onnx.ModelProto:
    """The graph in `path` with one more output, `durations`: frames per token.

    In hibari and in Kokoro (StyleTTS 2's ProsodyPredictor) it is the one Clip that follows a Round. Works in memory;
    the file keeps its checksum.
    """
    model = onnx.load(str(path))
    rounded = {output for node in model.graph.node if node.op_type == "Round" for output in node.output}
    found = [n for n in model.graph.node if n.op_type == "Clip" and n.input[0] in rounded]
    if len(found) != 1:
        raise ValueError(f"{path.name} is not the graph this code knows: {len(found)} duration predictors in it")
    model.graph.node.append(onnx.helper.make_node("Identity", [found[0].output[0]], [DURATIONS]))
    model.graph.output.append(onnx.ValueInfoProto(name=DURATIONS))
    return model


class Stoppable:
    """A session, of which another thread may end the run that goes on. One run at a time."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self._options: ort.RunOptions | None = None  # of the run that goes on

    def run(self, outputs: list[str], feed: dict[str, Any]) -> list[Any]:
        """The outputs; raises `cancelled` when it was stopped."""
        self._options = options = ort.RunOptions()
        try:
            found: list[Any] = self._session.run(outputs, feed, options)
        except Exception as error:  # ONNX Runtime has no class of its own for this
            if options.terminate:
                raise AvatarError(Code.CANCELLED, "The speech was cancelled.") from error
            raise
        finally:
            self._options = None
        return found

    def stop(self) -> None:
        """End the run that goes on, if there is one, at its next node."""
        options = self._options
        if options is not None:
            options.terminate = True
