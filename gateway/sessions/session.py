"""A session: one peer connection, its ears, its conversation, its face, and every task they need."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import AsyncExitStack
from typing import Any

from aiortc.mediastreams import MediaStreamTrack

from avatar_runtime.contracts import AvatarError, Code
from characters import Character, CharacterStore
from gateway.cloning import Clones
from gateway.dialogue import Dialogue
from gateway.observability.metrics import Metrics, Playout
from gateway.playout.pacer import Pacer
from gateway.playout.timeline import Timeline
from gateway.playout.tracks import FaceTrack, SpeechTrack
from gateway.sessions import messages
from gateway.sessions.conversation import Conversation
from gateway.sessions.face import Face
from gateway.sessions.health import Health, notice
from gateway.sessions.listening import Ears
from gateway.sessions.peer import Peer
from gateway.sessions.performer import Performer
from gateway.sessions.voice import Voice
from gateway.settings import Settings

log = logging.getLogger("gateway.sessions")

MAX_WAITING_MESSAGES = 32  # from the page; further ones are refused with a notice
CLOSE_TIMEOUT = 4.0  # s that closing may take before what is left is abandoned


class Session:
    """Use `run` inside a task; `end` makes it return. Everything it started has ended when it has returned."""

    def __init__(
        self,
        settings: Settings,
        inference: Any,
        characters: CharacterStore,
        clones: Clones,
        dialogue: Dialogue,
        describe: Any,
        metrics: Metrics,
    ) -> None:
        self.id = secrets.token_hex(8)
        self._characters, self._clones, self._describe = characters, clones, describe
        self._tasks = asyncio.TaskGroup()
        self._over = asyncio.Event()
        self.reason = "ended"
        self.failure: AvatarError | None = None  # why it could not go on
        self.connected = False
        self._inbox: asyncio.Queue[Any] = asyncio.Queue(MAX_WAITING_MESSAGES)
        self._engines: dict[str, Any] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()  # whoever waits for it is served in turn

        inference = self._inference = inference.session()
        timeline, pacer = Timeline(), Pacer()
        self._timeline = timeline
        speech = SpeechTrack(timeline, pacer, self._moved, lambda pcm: self._ears.sent(pcm))
        face = FaceTrack(timeline, pacer, lambda slot: self._conversation.frame_shown(slot))
        self._speech, self._shown = speech, face
        self._peer = Peer(
            lambda: settings.ice_for(self.id, time.time(), gateway=True),
            speech,
            face,
            self._heard_track,
            self._opened,
            self._received,
            self._state_changed,
            metrics,
        )
        health = self._health = Health(self._peer.send)
        face_of = Face(inference, health, seed=secrets.randbits(31), renderer=settings.render)
        self._performer = Performer(face_of, timeline)
        voice = Voice(inference, clones, self.notify)
        self._dialogue = dialogue
        self._conversation = Conversation(voice, dialogue, self._performer, health, self._peer.send, self._tasks)
        self._ears = Ears(
            inference, health, self._conversation, settings.turn_silence, self._tasks, self._conversation.expected
        )

    @property
    def character(self) -> Character | None:
        return self._conversation.character

    @property
    def history(self) -> Any:
        """What was said, for a session that follows this one."""
        return self._conversation.history

    @history.setter
    def history(self, history: Any) -> None:
        self._conversation.history = history

    @property
    def playout(self) -> Playout:
        """What was sent, and what waits just now."""
        timeline = self._timeline
        waiting = {"messages": self._inbox.qsize(), "speech_slots": timeline.waiting, "frames": timeline.ahead}
        return Playout(self._shown.sent, timeline.held, timeline.dropped, waiting)

    # --- life ---------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Until `end` is called; then frees everything."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.callback(self._inference.leave)
            stack.push_async_callback(self._close_peer)
            async with self._tasks:
                running = [
                    self._tasks.create_task(work)
                    for work in (self._performer.run(), self._ears.run(), self._read_inbox())
                ]
                await self._over.wait()
                for track in (self._speech, self._shown):
                    track.stop()
                self._conversation.interrupt()
                for task in (*running, self._listening):
                    if task is not None:
                        task.cancel()
        log.info(
            "session %s closed: %s, %.0f s, %d turns, %d frames held, %d dropped",
            self.id, self.reason, time.monotonic() - began, self._conversation.turns, self._timeline.held,
            self._timeline.dropped,
        )  # fmt: skip

    def end(self, reason: str, failure: AvatarError | None = None) -> None:
        """Let `run` return. `failure` is what the person is told."""
        if not self._over.is_set():
            self.reason, self.failure = reason, failure
            self._over.set()

    async def _close_peer(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._peer.close()
        except TimeoutError:
            log.warning("session %s: its peer connection did not close in time", self.id)

    # --- signalling ---------------------------------------------------------------------------------------
    async def offer(self, sdp: str, character_id: str) -> str:
        """The answer to an offer for this character ("" is the active one). AvatarError when there is none such."""
        if not character_id and self.character is None:
            active = await asyncio.to_thread(self._characters.active)
            character_id = active.id if active is not None else ""
        if character_id and (self.character is None or self.character.id != character_id):
            await self.switch(character_id)
        return await self._peer.answer(sdp)

    async def candidate(self, candidate: Any) -> None:
        await self._peer.add_candidate(candidate)

    # --- character and engines ------------------------------------------------------------------------------
    async def switch(self, character_id: str) -> None:
        """Talk with this character from now on: its portrait, its voice, its language. The last asked for stays."""
        async with self._switching:
            await self._switch(character_id)

    async def _switch(self, character_id: str) -> None:
        character = await asyncio.to_thread(self._characters.get, character_id)
        portrait = await asyncio.to_thread(self._characters.portrait, character_id)
        before = self.character
        if before is not None and before.id != character.id:
            self._conversation.interrupt()
            self._conversation.history = []
        self._conversation.character = character
        self._clones.prepare(character)
        if before is None or (before.portrait, before.renderer) != (character.portrait, character.renderer):
            self._performer.face.show(None if portrait is None else portrait.data, character.renderer or None)
            self._performer.moved()
        self._tell_character()

    def engines(self, roles: dict[str, Any]) -> None:
        """The state of the engines has changed."""
        self._engines = self._conversation.roles = roles
        self._peer.send({"type": "engines", "roles": roles})

    def notify(self, error: AvatarError) -> None:
        self._peer.send(notice(error))

    # --- callbacks of the peer ----------------------------------------------------------------------------
    def _moved(self) -> None:
        for mark in self._timeline.passed():
            self._conversation.passed(mark)
        self._performer.moved()

    def _heard_track(self, track: MediaStreamTrack) -> None:
        if self._listening is not None:
            self._listening.cancel()
        if not self._over.is_set():
            self._listening = self._tasks.create_task(self._ears.hear(track))

    def _opened(self) -> None:
        if self._engines is not None:
            self.engines(self._engines)
        self._tell_character()
        self._peer.send({"type": "dialogue", "kind": self._dialogue.kind, "model": self._dialogue.model})
        self._conversation.tell_emotion()
        self._peer.send({"type": "state", "state": self._conversation.state})
        self._health.repeat()

    def _received(self, raw: Any) -> None:
        try:
            self._inbox.put_nowait(raw)
        except asyncio.QueueFull:
            self.notify(AvatarError(Code.INVALID_REQUEST, "That was too much at once; wait a moment."))

    def _state_changed(self, state: str) -> None:
        if state == "connected":
            self.connected = True
            log.info("session %s connected", self.id)
        elif state in ("failed", "closed"):
            lost = AvatarError(Code.TIMEOUT, "The media connection was lost; connect again.")
            self.end(f"the connection {state}", lost)

    async def _read_inbox(self) -> None:
        while True:
            raw = await self._inbox.get()
            try:
                await self._act(messages.parse(raw))
            except AvatarError as error:
                self.notify(error)

    async def _act(self, message: messages.Message) -> None:
        match message:
            case messages.Text(text=text, mode="say"):
                self._conversation.say(text)
            case messages.Text(text=text):
                self._conversation.chat(text)
            case messages.Emotion(emotion=emotion, intensity=intensity):
                self._conversation.feel(emotion, intensity)
            case messages.SwitchCharacter(id=ident):
                await self.switch(ident)
            case messages.Language(language=language):
                self._conversation.language = language
            case messages.Microphone(on=on):
                self._ears.switch(on)
            case messages.Interrupt():
                self._conversation.interrupt()

    def _tell_character(self) -> None:
        if self.character is not None:
            self._peer.send({"type": "character", "character": self._describe(self.character)})
