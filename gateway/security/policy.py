"""What a request must bring to be let in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from gateway.security.addresses import host_name, loopback, same_origin
from gateway.security.token import Token
from gateway.settings import Settings

COOKIE: Final = "antlitz"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"  # a browser takes it over https alone, and for this host alone
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

#: Without a token: what says only that we are there, and what the login page is made of, which is public source.
_PUBLIC: Final = frozenset({"/healthz", "/readyz", "/api/login", "/favicon.ico"})
_PUBLIC_FOLDER: Final = "/client/"
#: Figures without words or secrets; programs of this machine may read them without a token.
_LOCAL: Final = frozenset({"/metrics"})


@dataclass(frozen=True)
class Ask:
    """What the doors look at. `websocket` counts as changing something, for it opens a session."""

    method: str
    path: str
    scheme: str
    address: str = ""  # of the client
    host: str = ""
    origin: str | None = None
    site: str | None = None  # Sec-Fetch-Site
    authorization: str = ""
    cookie: str = ""
    websocket: bool = False

    @property
    def changes(self) -> bool:
        return self.websocket or self.method not in SAFE_METHODS

    @property
    def secure(self) -> bool:
        return self.scheme in ("https", "wss")


@dataclass(frozen=True)
class Refusal:
    """An HTTP status and one sentence."""

    status: int
    message: str


FOREIGN_HOST: Final = Refusal(421, "The gateway does not answer to this name; add it to ANTLITZ_HOSTS.")
FOREIGN_PAGE: Final = Refusal(403, "Only the gateway's own page may ask for this.")
NO_TOKEN: Final = Refusal(401, "Log in first, or send the token as Authorization: Bearer.")


@dataclass(frozen=True)
class Policy:
    """The rules of one gateway: its token (None: this machine alone reaches it), and its names (None: any)."""

    token: Token | None
    hosts: frozenset[str] | None

    @classmethod
    def of(cls, settings: Settings, token: Token | None) -> Policy:
        """By its settings. Where there is a token, a page of another name has no cookie, and any name will do."""
        named = frozenset(settings.host_names)
        if token is not None and not named:
            return cls(token, None)
        return cls(token, named | {"localhost", settings.host.lower()})

    def refuse(self, ask: Ask, now: float) -> Refusal | None:
        """Why not, or None: it is let in. `now` is Unix time."""
        name = host_name(ask.host)
        if self.hosts is not None and name not in self.hosts and not loopback(name):
            return FOREIGN_HOST
        if ask.changes and not self._own_page(ask, now):
            return FOREIGN_PAGE
        if self.token is None or ask.path in _PUBLIC or ask.path.startswith(_PUBLIC_FOLDER):
            return None
        if ask.path in _LOCAL and loopback(ask.address):
            return None
        return None if self._bearer(ask) or self._cookie(ask, now) else NO_TOKEN

    def _own_page(self, ask: Ask, now: float) -> bool:
        """Browsers send Origin with all that changes something. Programs need not, but no cookie speaks for them."""
        if ask.origin is not None:
            return same_origin(ask.origin, ask.host, ask.scheme)
        if ask.site is not None:
            return ask.site == "same-origin"
        return self.token is None or self._bearer(ask) or not self._cookie(ask, now)

    def _bearer(self, ask: Ask) -> bool:
        kind, _, value = ask.authorization.partition(" ")
        return self.token is not None and kind.lower() == "bearer" and self.token.matches(value.strip())

    def _cookie(self, ask: Ask, now: float) -> bool:
        if self.token is None:
            return False
        name = SECURE_COOKIE if ask.secure else COOKIE
        return any(self.token.accepts_cookie(value, now) for value in cookies(ask.cookie, name))


def cookies(header: str, name: str) -> list[str]:
    """The values of a cookie in a Cookie header; a broken pair spoils only itself."""
    found = []
    for pair in header.split(";"):
        parsed: SimpleCookie = SimpleCookie()
        try:
            parsed.load(pair.strip())
        except CookieError:
            continue
        found += [morsel.value for key, morsel in parsed.items() if key == name]
    return found
