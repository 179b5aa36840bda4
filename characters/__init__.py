"""Who a person can talk with: characters, their portraits and voice samples, kept on this machine."""

from characters.fields import CharacterChange, NewCharacter, NewVoice, VoiceChange
from characters.record import Asset, Character, Voice
from characters.store import CharacterStore

__all__ = [
    "Asset",
    "Character",
    "CharacterChange",
    "CharacterStore",
    "NewCharacter",
    "NewVoice",
    "Voice",
    "VoiceChange",
]
