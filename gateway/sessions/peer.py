"""The WebRTC peer of one session: offer and answer, candidates, the data channel."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from avatar_runtime.contracts import AvatarError, Code

log = logging.getLogger("gateway.sessions")

CHANNEL = "antlitz"
MAX_CANDIDATES = 100  # a browser sends about ten
MAX_BUFFERED = 1 << 20  # bytes; a page that does not read them misses messages instead of filling our memory


class Peer:
    """Callbacks run in the event loop: `on_track` for the microphone, `on_message` and `on_open` for the channel,
    `on_state` with aiortc's connection state."""

    def __init__(
        self,
        ice_urls: list[str],
        audio: MediaStreamTrack,
        video: MediaStreamTrack,
        on_track: Callable[[MediaStreamTrack], None],
        on_open: Callable[[], None],
        on_message: Callable[[Any], None],
        on_state: Callable[[str], None],
    ) -> None:
        servers = [RTCIceServer(urls=url) for url in ice_urls]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._on_open, self._on_message = on_open, on_message
        self._channel: Any = None
        self._candidates = 0
        self._connection.addTrack(audio)
        self._connection.addTrack(video)
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.direction = "sendonly"  # nobody would read a video from the page
                # VP8 costs half the CPU of H.264 here; H.264 stays for those who have nothing else.
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences(sorted(codecs, key=lambda codec: codec.mimeType != "video/VP8"))
        connection = self._connection
        connection.on("track", lambda track: on_track(track) if track.kind == "audio" else None)
        connection.on("datachannel", self._adopt)
        connection.on("connectionstatechange", lambda: on_state(connection.connectionState))

    async def answer(self, sdp: str) -> str:
        """The answer to an offer, with all our candidates in it (aiortc gathers before it answers)."""
        if sdp.count("m=audio") > 1 or sdp.count("m=video") > 1 or not sdp.startswith("v=0"):
            raise AvatarError(Code.INVALID_REQUEST, "The offer should be SDP with one audio and one video section.")
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except Exception as error:  # aiortc raises whatever its parser stumbles over
            raise AvatarError(Code.INVALID_REQUEST, "The offer could not be understood.") from error
        return self._connection.localDescription.sdp

    async def add_candidate(self, candidate: Any) -> None:
        """A candidate as the browser sends it; None (or one without text) ends them."""
        self._candidates += 1
        if self._candidates > MAX_CANDIDATES:
            raise AvatarError(Code.INVALID_REQUEST, "There are too many candidates.")
        try:
            if candidate is None or not candidate["candidate"]:
                await self._connection.addIceCandidate(None)
                return
            parsed = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
            await self._connection.addIceCandidate(parsed)
        except Exception as error:  # as above
            raise AvatarError(Code.INVALID_REQUEST, "The candidate could not be understood.") from error

    def send(self, message: dict[str, Any]) -> None:
        """Send over the data channel; before it is open, or when nobody reads it, the message is dropped."""
        channel = self._channel
        if channel is not None and channel.readyState == "open" and channel.bufferedAmount < MAX_BUFFERED:
            channel.send(json.dumps(message, ensure_ascii=False))

    async def close(self) -> None:
        await self._connection.close()

    def _adopt(self, channel: Any) -> None:
        if channel.label != CHANNEL:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._on_message)
        self._on_open()
