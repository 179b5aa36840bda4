"""A gateway that only the page's smoke test needs: it speaks PROTOCOL.md with canned answers and real WebRTC.

Run as ``python fake_gateway.py PORT``. `GET /heard` tells what the page said over the data channel.
The real gateway with real models is tested in ``tests/e2e``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.contrib.media import MediaBlackhole
from aiortc.mediastreams import AudioStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from characters.media_types import audio_type
from gateway.media import pcm16, wav_header
from gateway.security.headers import SecurityHeaders

PAGE = Path(__file__).parents[2] / "client"
PORTRAIT = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3"/></svg>"""


def character(name: str, display_name: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{name}", "name": name, "display_name": display_name, "description": "<b>bold</b>", "personality": "",
        "language": "en", "voice": {"engine": "tts_a", "id": "one", "sample": None}, "renderer": "render_a",
        "portrait": "/portrait.svg", "active": False, **fields,
    }  # fmt: skip


def role(engine: str, *, ready: bool = True, **fields: Any) -> dict[str, Any]:
    only = {"name": engine, "ready": ready, "licence": "MIT", "languages": ["en", "de"], "voices": [], **fields}
    return {"engine": engine, "ready": ready, "engines": [only]}


ROLES = {name: role(f"{name}_a") for name in ("vad", "stt", "landmarks", "motion", "render")}
ROLES["tts"] = role("tts_a", ready=False, voices=[{"id": "one", "language": "en"}, {"id": "zwei", "language": "de"}])


CLONING = {
    "voice": role("voice_xtts", licence="CPML (non-commercial), Coqui"),
    "tts": {
        **ROLES["tts"],
        "engines": [*ROLES["tts"]["engines"], role("tts_xtts", licence="CPML (non-commercial), Coqui")["engines"][0]],
    },
}
TONE = wav_header(24_000) + pcm16(np.sin(np.arange(24_000) / 20).astype(np.float32) * 0.3)


class Fake:
    def __init__(self) -> None:
        self.cloning = self.full = self.greeted = False
        self.voice = Voice()
        self.sockets: set[WebSocket] = set()
        self.samples: dict[str, bytes] = {}
        self.characters = [character("mona", "Mona"), character("vera", "Vera <i>", active=True)]
        self.heard: list[dict[str, Any]] = []

    async def get_heard(self, request: Request) -> Response:
        return JSONResponse(self.heard)

    async def get_engines(self, request: Request) -> Response:
        return JSONResponse({"roles": {**ROLES, **(CLONING if self.cloning else {})}})

    async def switch(self, request: Request) -> Response:
        """Lets the cloning engine come and go, all places be taken, and the running sockets end."""
        self.cloning = bool(request.query_params.get("cloning"))
        self.full = bool(request.query_params.get("full"))
        if request.query_params.get("drop"):
            for websocket in list(self.sockets):
                await websocket.close(1011)
        return Response()

    async def voice_sample(self, request: Request) -> Response:
        found = next(one for one in self.characters if one["id"] == request.path_params["id"])
        ident = found["id"]
        if request.method == "GET":
            return Response(self.samples[ident], media_type=audio_type(self.samples[ident]))
        if request.method == "PUT":
            body = await request.body()
            kind = audio_type(body)
            self.heard.append({"type": "sample", "kind": kind, "said": request.headers["content-type"]})
            if kind is None or len(body) < 1000:
                return refusal(422, "invalid_audio", "Nobody is heard speaking: record one person's voice.")
            self.samples[ident] = body
        else:
            self.heard.append({"type": "sample removed"})
        address = f"/api/characters/{ident}/voice-sample" if request.method == "PUT" else None
        found["voice"] = {**found["voice"], "sample": address}
        return JSONResponse(found)

    async def clone(self, request: Request) -> Response:
        async with request.form() as form:
            sample = form["sample"]
            self.heard.append({"type": "clone", "kind": audio_type(await sample.read()), "language": form["language"]})
        return Response(TONE, media_type="audio/wav")

    async def collection(self, request: Request) -> Response:
        if request.method == "POST":
            fields = await request.json()
            if any(one["name"] == fields["name"] for one in self.characters):
                return refusal(409, "name_taken", "There is a character of this name already; choose another.")
            self.characters.append(character(**fields, portrait=None))
            return JSONResponse(self.characters[-1], 201)
        return JSONResponse({"characters": self.characters})

    async def one(self, request: Request) -> Response:
        found = next(one for one in self.characters if one["id"] == request.path_params["id"])
        if request.method == "DELETE":
            self.characters.remove(found)
            return Response(status_code=204)
        if request.method == "PATCH":
            found.update(await request.json())
        return JSONResponse(found)

    async def put_portrait(self, request: Request) -> Response:
        return refusal(422, "no_face", "No face was found in this picture.")

    async def session(self, websocket: WebSocket) -> None:
        await websocket.accept()
        if self.full:
            error = {"code": "too_many_sessions", "message": "All 4 places are taken: others are talking just now."}
            await websocket.send_json({"type": "error", "retryable": True, **error})
            await websocket.close(1013)
            return
        resumed = self.greeted and "resume" in websocket.query_params
        if "resume" in websocket.query_params:
            self.heard.append(await websocket.receive_json())
        self.greeted = True
        hello = {"type": "session", "id": "1", "token": "secret", "resumed": resumed, "iceServers": []}
        await websocket.send_json(hello)
        peer = RTCPeerConnection()
        self.sockets.add(websocket)
        try:
            await self.signal(websocket, peer)
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: it was closed from here
            self.heard.append({"type": "left"})
        finally:
            self.sockets.discard(websocket)
            await peer.close()

    async def signal(self, websocket: WebSocket, peer: RTCPeerConnection) -> None:
        sink = MediaBlackhole()
        peer.on("track", sink.addTrack)
        peer.on("datachannel", self.talk)
        while (message := await websocket.receive_json())["type"] != "bye":
            if message["type"] == "offer":
                self.heard.append({"type": "offer", "character": message["character"]})
                await peer.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
                self.voice = Voice()
                peer.addTrack(self.voice)
                peer.addTrack(Green())
                await sink.start()
                await peer.setLocalDescription(await peer.createAnswer())
                await websocket.send_json({"type": "answer", "sdp": peer.localDescription.sdp})
            elif candidate := message["candidate"]:
                ice = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
                ice.sdpMid, ice.sdpMLineIndex = candidate["sdpMid"], candidate["sdpMLineIndex"]
                await peer.addIceCandidate(ice)
        self.heard.append({"type": "bye"})

    def talk(self, channel: Any) -> None:
        def tell(**message: Any) -> None:
            channel.send(json.dumps(message))

        def listen(text: str) -> None:
            message = json.loads(text)
            if message["type"] == "ping":
                tell(type="pong", at=message["at"], now=time.time() * 1000)
                return
            self.heard.append(message)
            if message["type"] == "text" and message["text"] == "Slowly":
                tell(type="caption", role="user", id="9u", text="Slow", tentative="lie", final=False, language="en")
            elif message["type"] == "text" and message["text"] == "Sing":
                tell(type="state", state="speaking", at=time.time() * 1000)
                self.voice.sing()
                tell(type="caption", role="avatar", id="t7a", text="La", final=False, language="en")
                ms = {"transcript": 300, "first_token": 350, "first_audio": 800, "first_frame": 820}
                tell(type="timing", turn="t7", ms=ms)
                tell(type="caption", role="avatar", id="t7a", text="La la", final=True, language="en")
            elif message["type"] == "text":
                words = message["text"]
                tell(type="caption", role="user", id="1", text=words, final=True, language="en")
                tell(type="state", state="speaking")
                tell(type="caption", role="avatar", id="2", text="You", final=False, language="en")
                tell(type="caption", role="avatar", id="2", text=f"You said {words}", final=True, language="en")
                tell(type="notice", code="voice", level="error", message="The voice is gone.", retryable=True)
            elif message["type"] == "character":
                tell(type="character", character=next(one for one in self.characters if one["id"] == message["id"]))

        channel.on("message", listen)
        tell(type="dialogue", kind="echo", model="")
        tell(type="state", state="listening")


class Voice(AudioStreamTrack):
    """Silence, and a second of tone after `sing`."""

    left = 0

    def sing(self) -> None:
        self.left = 50  # frames of 20 ms

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        if self.left:
            self.left -= 1
            wave = (8000 * np.sin(np.arange(frame.samples) / 3)).astype(np.int16)
            frame.planes[0].update(wave.tobytes())
        return frame


class Green(VideoStreamTrack):
    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame.from_ndarray(np.full((96, 64), 90, np.uint8), format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        return frame


def refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "retryable": False}}, status)


def create_app() -> Starlette:
    fake = Fake()

    async def index(request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def portrait(request: Request) -> Response:
        return Response(PORTRAIT, media_type="image/svg+xml")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/portrait.svg", portrait),
            Route("/heard", fake.get_heard),
            Route("/switch", fake.switch),
            Route("/api/engines", fake.get_engines),
            Route("/api/synthesize-with-voice-clone", fake.clone, methods=["POST"]),
            Route("/api/characters/{id}/voice-sample", fake.voice_sample, methods=["GET", "PUT", "DELETE"]),
            Route("/api/characters", fake.collection, methods=["GET", "POST"]),
            Route("/api/characters/{id}", fake.one, methods=["GET", "PATCH", "DELETE"]),
            Route("/api/characters/{id}/portrait", fake.put_portrait, methods=["PUT"]),
            WebSocketRoute("/api/session", fake.session),
            Mount("/client", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(SecurityHeaders)],  # the gateway's own: what its policy forbids shows in the console
    )


if __name__ == "__main__":
    asyncio.run(uvicorn.Server(uvicorn.Config(create_app(), port=int(sys.argv[1]), log_level="warning")).serve())
