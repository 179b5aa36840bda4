"""Settings, read once from the environment. README shows them as a table."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_cache_path, user_data_path

from avatar_runtime.contracts import Role
from characters.database import is_database_url
from gateway import ice
from gateway.security.addresses import loopback

DATA = user_data_path("antlitz")
MODELS = user_cache_path("antlitz") / "models"


def _setting(variable: str, help: str, default: object, secret: bool = False) -> object:
    return field(default=default, repr=not secret, metadata={"variable": variable, "help": help})


@dataclass(frozen=True)
class Settings:
    """What an operator can change. Every field has one environment variable."""

    data: Path = _setting("ANTLITZ_DATA", "database, assets, certificate", DATA)  # type: ignore[assignment]  # noqa: RUF009 - a constant
    database: str = _setting("ANTLITZ_DATABASE", "postgresql://… of shared characters; empty: SQLite", "", secret=True)  # type: ignore[assignment]
    assets: str = _setting("ANTLITZ_ASSETS", "s3://BUCKET/PREFIX of pictures and voices; empty: the data folder", "")  # type: ignore[assignment]
    models: Path = _setting("ANTLITZ_MODELS", "cache of the models' files", MODELS)  # type: ignore[assignment]  # noqa: RUF009 - a constant
    host: str = _setting("ANTLITZ_HOST", "address to listen on", "127.0.0.1")  # type: ignore[assignment]
    port: int = _setting("ANTLITZ_PORT", "port of the page and the API", 8080)  # type: ignore[assignment]
    token: str = _setting("ANTLITZ_TOKEN", "secret for page and API; made where needed", "", secret=True)  # type: ignore[assignment]
    hosts: str = _setting("ANTLITZ_HOSTS", "comma list of further names it is reached by", "")  # type: ignore[assignment]
    proxies: str = _setting("ANTLITZ_PROXIES", "comma list of proxies whose word counts", "127.0.0.1")  # type: ignore[assignment]
    rate: int = _setting("ANTLITZ_RATE", "requests a second from an address; 0: any", 20)  # type: ignore[assignment]
    triton: str = _setting(  # type: ignore[assignment]
        "ANTLITZ_TRITON",
        "[KEY@]HOST:PORT (gRPC) of a running tritonserver, or several with commas; empty starts one",
        "",
        secret=True,
    )
    triton_key: str = _setting(  # type: ignore[assignment]
        "ANTLITZ_TRITON_KEY", "KEY with which `antlitz serve` lets models be loaded; empty: nobody may", "", secret=True
    )
    max_sessions: int = _setting("ANTLITZ_MAX_SESSIONS", "talks at once; two cores hold no more", 3)  # type: ignore[assignment]
    address_sessions: int = _setting("ANTLITZ_ADDRESS_SESSIONS", "the same from an address; 0: any", 2)  # type: ignore[assignment]
    turn_silence: float = _setting(  # type: ignore[assignment]
        "ANTLITZ_TURN_SILENCE", "seconds of silence that end a turn before its words are known", 0.5
    )
    video_bitrate: int = _setting("ANTLITZ_VIDEO_BITRATE", "bits a second of the picture", 2_000_000)  # type: ignore[assignment]
    ice_servers: str = _setting("ANTLITZ_ICE_SERVERS", "comma list of STUN URLs", "")  # type: ignore[assignment]
    turn_urls: str = _setting("ANTLITZ_TURN_URLS", "comma list of TURN URLs; the gateway uses the first", "")  # type: ignore[assignment]
    turn_secret: str = _setting("ANTLITZ_TURN_SECRET", "what coturn calls static-auth-secret", "", secret=True)  # type: ignore[assignment]
    turn_seconds: int = _setting("ANTLITZ_TURN_SECONDS", "seconds a key for the relay counts", 3600)  # type: ignore[assignment]
    turn_users: str = _setting("ANTLITZ_TURN_USERS", "both, or page: the gateway needs no relay of its own", "both")  # type: ignore[assignment]
    vad: str = _setting("ANTLITZ_VAD", "engine of the role", "vad_silero")  # type: ignore[assignment]
    stt: str = _setting("ANTLITZ_STT", "engine of the role", "stt_whisper")  # type: ignore[assignment]
    tts: str = _setting("ANTLITZ_TTS", "engine of the role where a character names none", "tts_hibari")  # type: ignore[assignment]
    voice: str = _setting("ANTLITZ_VOICE", "engine of the role; clones voices for its tts twin", "voice_xtts")  # type: ignore[assignment]
    landmarks: str = _setting("ANTLITZ_LANDMARKS", "engine of the role", "landmarks_mediapipe")  # type: ignore[assignment]
    motion: str = _setting("ANTLITZ_MOTION", "engine of the role", "motion_speech")  # type: ignore[assignment]
    render: str = _setting("ANTLITZ_RENDER", "engine of the role where a character names none", "render_meshwarp")  # type: ignore[assignment]
    capture: str = _setting("ANTLITZ_CAPTURE", "engine of the role", "capture_mediapipe")  # type: ignore[assignment]
    llm_url: str = _setting(
        "ANTLITZ_LLM_URL", "base URL of an OpenAI-compatible chat endpoint; empty: the portrait echoes", ""
    )  # type: ignore[assignment]
    llm_model: str = _setting("ANTLITZ_LLM_MODEL", "name of the language model there", "")  # type: ignore[assignment]
    llm_key: str = _setting("ANTLITZ_LLM_KEY", "key of the endpoint, where it wants one", "", secret=True)  # type: ignore[assignment]
    llm_timeout: float = _setting("ANTLITZ_LLM_TIMEOUT", "seconds that the language model may stay silent", 8.0)  # type: ignore[assignment]
    llm_history: int = _setting("ANTLITZ_LLM_HISTORY", "tokens of conversation that it is told", 2_000)  # type: ignore[assignment]
    traces: str = _setting("ANTLITZ_TRACES", "OTLP/HTTP address that turns are traced to; empty: none", "")  # type: ignore[assignment]
    log_format: str = _setting("ANTLITZ_LOG_FORMAT", "text or json", "text")  # type: ignore[assignment]
    log_level: str = _setting("ANTLITZ_LOG_LEVEL", "debug, info, warning or error", "info")  # type: ignore[assignment]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings; ValueError with one sentence names a variable that makes no sense."""
        values: dict[str, object] = {}
        for item in fields(cls):
            variable = item.metadata["variable"]
            text = environ.get(variable, "").strip()
            if not text:
                continue
            kind: Any = type(item.default)
            try:
                values[item.name] = Path(text).expanduser().absolute() if isinstance(item.default, Path) else kind(text)
            except ValueError as error:
                raise ValueError(f"{variable} should be a {kind.__name__}, not {text!r}.") from error
        settings = cls(**values)  # type: ignore[arg-type]
        settings._check()
        return settings

    def _check(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"ANTLITZ_PORT should lie between 0 and 65535, not {self.port}.")
        if self.database and not is_database_url(self.database):
            raise ValueError("ANTLITZ_DATABASE should be an address like postgresql://USER:PASSWORD@HOST/NAME.")
        if self.assets and not (self.assets.startswith("s3://") and urlsplit(self.assets).netloc):
            raise ValueError("ANTLITZ_ASSETS should be an address like s3://BUCKET/PREFIX.")
        if self.triton_key and not re.fullmatch(r"[A-Za-z0-9_-]{16,}", self.triton_key):
            raise ValueError("ANTLITZ_TRITON_KEY should be 16 or more letters, digits, - and _.")
        if self.token and (len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()):
            raise ValueError("ANTLITZ_TOKEN should be at least 16 characters of ASCII.")
        if self.rate < 0 or self.address_sessions < 0:
            raise ValueError("ANTLITZ_RATE and ANTLITZ_ADDRESS_SESSIONS should not be below 0.")
        if self.max_sessions < 1:
            raise ValueError("ANTLITZ_MAX_SESSIONS should be at least 1.")
        if not 0.1 <= self.turn_silence <= 5:
            raise ValueError("ANTLITZ_TURN_SILENCE should lie between 0.1 and 5 seconds.")
        ice.check(ice.split(self.ice_servers), ice.split(self.turn_urls), self.turn_secret)
        if self.turn_users not in ("both", "page"):
            raise ValueError("ANTLITZ_TURN_USERS should be both or page.")
        if not 60 <= self.turn_seconds <= 86_400:
            raise ValueError("ANTLITZ_TURN_SECONDS should lie between 60 and 86400.")
        if self.llm_url and not self.llm_url.startswith(("http://", "https://")):
            raise ValueError("ANTLITZ_LLM_URL should begin with http:// or https://, as in http://localhost:11434/v1.")
        if self.llm_url and not self.llm_model:
            raise ValueError("ANTLITZ_LLM_MODEL should name the language model at ANTLITZ_LLM_URL.")
        if not 0.1 <= self.llm_timeout <= 600:
            raise ValueError("ANTLITZ_LLM_TIMEOUT should lie between 0.1 and 600 seconds.")
        if self.llm_history < 0:
            raise ValueError("ANTLITZ_LLM_HISTORY should not be negative.")
        if self.log_format not in ("text", "json"):
            raise ValueError("ANTLITZ_LOG_FORMAT should be text or json.")
        if self.traces and urlsplit(self.traces).scheme not in ("http", "https"):
            raise ValueError("ANTLITZ_TRACES should be an address like http://localhost:4318/v1/traces.")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise ValueError("ANTLITZ_LOG_LEVEL should be debug, info, warning or error.")

    def engine(self, role: Role) -> str:
        """The engine that serves `role`; "" when there is none."""
        return str(getattr(self, role.value, ""))

    @property
    def host_names(self) -> list[str]:
        """The names of `hosts`, in lower case."""
        return [name.strip().lower() for name in self.hosts.split(",") if name.strip()]

    @property
    def guarded(self) -> bool:
        """Whether a token is needed: always, but where only this machine reaches the gateway and nobody set one."""
        return bool(self.token or self.host_names) or not loopback(self.host)

    def ice_for(self, name: str, now: float, gateway: bool = False) -> list[dict[str, Any]]:
        """RTCConfiguration's `iceServers`, the page's or the gateway's own, at `now` (s since 1970).

        `name` is what the relay's log calls whoever uses them.
        """
        turn = [] if gateway and self.turn_users == "page" else ice.split(self.turn_urls)
        return ice.servers(ice.split(self.ice_servers), turn, self.turn_secret, self.turn_seconds, name, now)
