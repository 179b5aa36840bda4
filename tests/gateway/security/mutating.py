"""Mutates pictures and recordings and lets the gateway look at them. Run by test_mutations.py.

    python mutating.py FILES [SEED]

Prints one JSON object; ends at once when a file crashes a decoder, with the file's number and seed on standard error.
"""

from __future__ import annotations

import faulthandler
import io
import json
import random
import resource
import struct
import sys
import time
from typing import Any

import av
import cv2
import numpy as np

from avatar_runtime.contracts import AvatarError, Code
from gateway.media import decode, wav_header
from gateway.rest.pictures import check_picture

MEMORY = 3 << 30  # bytes of address space: libraries take one of them before anything is decoded
SECONDS = 5.0  # for one file
CONTAINERS = {"mp3": "libmp3lame", "flac": "flac", "ogg": "libopus", "webm": "libopus", "mp4": "aac", "adts": "aac"}
#: Numbers that formats stumble over.
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def pictures() -> list[bytes]:
    texture = np.random.default_rng(7).integers(0, 255, (40, 30, 3), np.uint8)
    large = cv2.resize(texture, (240, 320))
    made = [cv2.imencode(kind, large)[1].tobytes() for kind in (".jpg", ".png", ".webp")]
    progressive = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4])
    lossless = cv2.imencode(".webp", large, [cv2.IMWRITE_WEBP_QUALITY, 101])
    alpha = cv2.imencode(".png", cv2.cvtColor(large, cv2.COLOR_BGR2BGRA))
    gray = cv2.imencode(".jpg", large[..., 0])
    return made + [one[1].tobytes() for one in (progressive, lossless, alpha, gray)]


def recordings() -> list[bytes]:
    tone = (0.5 * np.sin(np.arange(24_000) * 0.06)).astype(np.float32)
    made = [wav_header(8_000, 16_000) + np.zeros(8_000, "<i2").tobytes()]
    for container, codec in CONTAINERS.items():
        file = io.BytesIO()
        with av.open(file, "w", format=container) as out:
            stream = out.add_stream(codec, rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            frame.sample_rate = 48_000
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        made.append(file.getvalue())
    return made


def mutated(whole: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """One to eight changes of the kinds that find faults: bits, edges, cuts, copies, and parts of other files."""
    data = bytearray(whole)
    front = chance.random() < 0.5  # headers are where sizes stand
    for _ in range(chance.randrange(1, 9)):
        at = chance.randrange(min(len(data), 128) if front and data else max(1, len(data)))
        match chance.randrange(8):
            case 0:
                data[at : at + 1] = bytes([data[at] ^ 1 << chance.randrange(8)]) if data else b""
            case 1:
                data[at : at + 1] = chance.randbytes(1)
            case 2:
                edge = chance.choice(EDGES)
                form = chance.choice("<>") + chance.choice("BHI")
                packed = struct.pack(form, edge & (1 << 8 * struct.calcsize(form)) - 1)
                data[at : at + len(packed)] = packed
            case 3:
                del data[at : at + chance.randrange(1, 64)]
            case 4:
                data[at:at] = data[at : at + chance.randrange(1, 256)]
            case 5:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                data[at : at + 64] = other[start : start + 64]
            case 6:
                data[at:at] = chance.randbytes(chance.randrange(1, 32))
            case _:
                if data and chance.random() < 0.3:
                    del data[chance.randrange(1, len(data) + 1) :]
    return bytes(data)


def main(count: int, seed: int) -> dict[str, Any]:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    kinds = [(check_picture, Code.INVALID_IMAGE, each) for each in pictures()]
    kinds += [(decode, Code.INVALID_AUDIO, each) for each in recordings()]
    everything = [whole for _, _, whole in kinds]
    for look, _, whole in kinds:
        look(whole)
    taken = refused = 0
    longest = 0.0
    began = time.monotonic()
    for number in range(count):
        look, code, whole = kinds[number % len(kinds)]
        data = mutated(whole, random.Random(f"{seed} {number}"), everything)
        sys.stderr.write(f"\rfile {number} of seed {seed}")  # the last line, should this be the last file
        faulthandler.dump_traceback_later(SECONDS * 4, exit=True)
        started = time.monotonic()
        try:
            look(data)
            taken += 1
        except AvatarError as error:
            assert error.code is code and error.message.endswith("."), error
            refused += 1
        longest = max(longest, time.monotonic() - started)
        faulthandler.cancel_dump_traceback_later()
        assert longest < SECONDS, "this one took too long"
    return {
        "files": count,
        "taken": taken,
        "refused": refused,
        "longest_seconds": round(longest, 3),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    number, *more = sys.argv[1:]
    print(json.dumps(main(int(number), int(more[0]) if more else random.SystemRandom().getrandbits(32))))
