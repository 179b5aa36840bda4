"""The WebRTC peer of one session: offer and answer, candidates, the data channel.

A network that was lost and found again comes with a new offer. aiortc (1.16) knows no ICE restart, so the offer gets a
new peer connection, with new DTLS and a new data channel; the session and its tracks go on where they were.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from avatar_runtime.contracts import AvatarError, Code
from gateway import ice
from gateway.clock import unix_time
from gateway.observability.metrics import Metrics
from gateway.playout.lending import Lender
from gateway.playout.reports import OPUS_RATE, align
from gateway.playout.tracks import VIDEO_CLOCK, PlayoutTrack
from gateway.sessions.impatience import hand_over_at_once
from gateway.sessions.messages import pong

log = logging.getLogger("gateway.sessions")

CHANNEL = "antlitz"
MAX_CANDIDATES = 100  # a browser sends about ten
MAX_BUFFERED = 1 << 20  # bytes; a page that does not read them misses messages instead of filling our memory
RETURN_SECONDS = 3.0  # how long a page that has left, without a goodbye, may take to come back


class Peer:
    """Callbacks run in the event loop: `on_track` for the microphone, `on_message` and `on_open` for the channel,
    `on_state` with aiortc's connection state. "failed" and "closed" are told when no new offer came within
    `RETURN_SECONDS`: they are final."""

    def __init__(
        self,
        ice_servers: Callable[[], list[dict[str, Any]]],
        audio: PlayoutTrack,
        video: PlayoutTrack,
        on_track: Callable[[MediaStreamTrack], None],
        on_open: Callable[[], None],
        on_message: Callable[[Any], None],
        on_state: Callable[[str], None],
        metrics: Metrics,
    ) -> None:
        self._ice_servers = ice_servers  # asked anew for each connection: keys of a relay grow old
        self._tracks = [(track, Lender(track), rate) for track, rate in ((audio, OPUS_RATE), (video, VIDEO_CLOCK))]
        self._on_track, self._on_open = on_track, on_open
        self._on_message, self._on_state = on_message, on_state
        self._metrics = metrics
        self._connection: RTCPeerConnection | None = None
        self._fragment = ""  # the ICE user name of the offer that the connection answers
        self._channel: Any = None
        self._candidates = 0
        self._leaving: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def answer(self, sdp: str) -> str:
        """The answer to an offer, with all our candidates in it (aiortc gathers before it answers)."""
        if sdp.count("m=audio") > 1 or sdp.count("m=video") > 1 or not sdp.startswith("v=0"):
            raise AvatarError(Code.INVALID_REQUEST, "The offer should be SDP with one audio and one video section.")
        found = re.search(r"^a=ice-ufrag:(\S+)", sdp, re.MULTILINE)
        fragment = found[1] if found is not None else ""
        if self._connection is None or fragment != self._fragment or self._connection.connectionState == "closed":
            self._connection, self._fragment = self._connect(), fragment
        connection = self._connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
            await connection.setLocalDescription(await connection.createAnswer())
        except Exception as error:  # aiortc raises whatever its parser stumbles over
            raise AvatarError(Code.INVALID_REQUEST, "The offer could not be understood.") from error
        if ice.relay_missing(self._ice_servers(), connection.localDescription.sdp):
            log.warning("the relay gave the gateway no address: it is out of reach, or ANTLITZ_TURN_SECRET is another")
        return connection.localDescription.sdp

    async def add_candidate(self, candidate: Any) -> None:
        """A candidate as the browser sends it; None (or one without text) ends them."""
        self._candidates += 1
        if self._candidates > MAX_CANDIDATES:
            raise AvatarError(Code.INVALID_REQUEST, "There are too many candidates.")
        try:
            if candidate is None or not candidate["candidate"]:
                if self._connection is not None:
                    await self._connection.addIceCandidate(None)
                return
            parsed = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
            if self._connection is not None:
                await self._connection.addIceCandidate(parsed)
        except Exception as error:  # as above
            raise AvatarError(Code.INVALID_REQUEST, "The candidate could not be understood.") from error

    def send(self, message: dict[str, Any]) -> None:
        """Send over the data channel; before it is open, or when nobody reads it, the message is dropped.

        A state carries the time at which it began, so that the page can tell when it heard what.
        """
        channel = self._channel
        if message["type"] == "timing":  # what a page is told of a turn is what the gateway's figures are made of
            self._metrics.timing(message["ms"])
        if message["type"] == "state":
            message = {**message, "at": unix_time() * 1000}
        if channel is not None and channel.readyState == "open" and channel.bufferedAmount < MAX_BUFFERED:
            channel.send(json.dumps(message, ensure_ascii=False))

    async def close(self) -> None:
        """Ends the connection, and waits for those before it."""
        self._stay()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await connection.close()
        if self._closing:
            await asyncio.wait(self._closing)

    def _connect(self) -> RTCPeerConnection:
        """A new connection in the place of the one before."""
        self._stay()
        if self._connection is not None:
            task = asyncio.get_running_loop().create_task(self._connection.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._channel, self._candidates = None, 0
        servers = ice.understood(self._ice_servers())
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[RTCIceServer(**server) for server in servers]))
        for track, lender, rate in self._tracks:
            loan = lender.lend()
            align(connection.addTrack(loan), loan, rate, track.wall_time)
        for transceiver in connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.direction = "sendonly"  # nobody would read a video from the page
                # VP8 costs half the CPU of H.264 here; H.264 stays for those who have nothing else.
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences(sorted(codecs, key=lambda codec: codec.mimeType != "video/VP8"))
        connection.on("track", lambda track: self._heard(connection, track))
        connection.on("datachannel", lambda channel: self._adopt(connection, channel))
        connection.on("connectionstatechange", lambda: self._changed(connection))
        return connection

    def _heard(self, connection: RTCPeerConnection, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            for receiver in connection.getReceivers():
                if receiver.track is track:
                    hand_over_at_once(receiver)
            self._on_track(track)

    def _changed(self, connection: RTCPeerConnection) -> None:
        state = connection.connectionState
        if connection is not self._connection:
            return  # another one has taken its place
        if state in ("failed", "closed"):
            self._stay()
            self._leaving = asyncio.get_running_loop().call_later(RETURN_SECONDS, self._on_state, state)
        else:
            self._on_state(state)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _adopt(self, connection: RTCPeerConnection, channel: Any) -> None:
        if channel.label != CHANNEL or connection is not self._connection:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._received)
        self._on_open()

    def _received(self, raw: Any) -> None:
        answer = pong(raw)
        if answer is not None:
            self.send(answer)
        else:
            self._on_message(raw)
