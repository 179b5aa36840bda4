"""Triton adapter of the role `render`: a portrait moved by LivePortrait."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from avatar_runtime import adapter, engines
from avatar_runtime.face.renderer import Renderer, Stream
from avatar_runtime.liveportrait.bundle import bundle
from avatar_runtime.liveportrait.graphs import FOLDER
from avatar_runtime.liveportrait.networks import FRAME_MODEL, SOURCE_MODEL, InProcess, Networks, Retargeting, Served
from avatar_runtime.liveportrait.portrait import Portrait


class TritonPythonModel:
    """Triton's entry points."""

    def initialize(self, args: dict[str, str]) -> None:
        models = adapter.models_dir()
        retarget = Retargeting(models / FOLDER)
        make = partial(Portrait, networks=self._networks(args, models / FOLDER), retarget=retarget)
        self._renderer = Renderer(models / "mediapipe", make)
        self._streams: adapter.Sequences[Stream] = adapter.Sequences(Stream)

    @staticmethod
    def _networks(args: dict[str, str], folder: Path) -> Networks:
        if adapter.parameter(args, "networks") != "triton":
            return InProcess(folder)
        repository = Path(args["model_repository"]).parent
        here = engines.here()
        for model in (SOURCE_MODEL, FRAME_MODEL):
            engines.check_plan(repository / model / "1", here, checkpoint=bundle(folder).checkpoint())
        return Served(adapter.Models(args))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [adapter.answer(request, self._respond) for request in requests]

    def _respond(self, request: Any) -> Any:
        return adapter.draw(self._renderer, self._streams.state(request), request)
