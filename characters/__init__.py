"""Who a person can talk with: characters, their portraits and voice samples, kept on this machine."""

from characters.fields import CharacterChange, NewCharacter, NewVoice, VoiceChange
from characters.record import Asset, Character, Glance, Voice
from characters.store import CharacterStore

__all__ = [
    "Asset",
    "Character",
    "CharacterChange",
    "CharacterStore",
    "Glance",
    "NewCharacter",
    "NewVoice",
    "Voice",
    "VoiceChange",
]
