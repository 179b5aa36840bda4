"""`antlitz bench fuzz [--requests N] [--seed S] [--url URL]`: requests made up from the OpenAPI document.

Half of them are as the document says, half break it, each in some way of its own; some name characters that are there
and bring files that can be read, so that a request gets past the first look. Against `antlitz up`, or the gateway at
`--url` (its characters are changed and deleted!). Fails when one answer is a 500, is not documented, or is an error
without its one sentence.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import cv2
import hypothesis
import numpy as np
import requests
import schemathesis
from rich.console import Console
from rich.table import Table
from schemathesis.generation import GenerationMode

from gateway.bench.stack import up
from gateway.media import wav_header

TIMEOUT = 60.0  # s for one answer
FILES = ("file", "image", "sample")  # fields of forms that are files
NAMES = ("voice", "model", "engine", "language", "renderer")  # of things that are there; made up they are refused
AT_ONCE = 10  # requests of one operation before the next has its turn
#: What the doors and HTTP itself answer, whatever the route.
EVERYWHERE = {400, 404, 405, 408, 413, 415, 422}
#: Engines may be away or busy; all else that begins with a 5 is a fault.
ENGINES_AWAY = {(503, "engine_unavailable"), (503, "unknown_portrait"), (504, "timeout")}


@dataclass
class Report:
    """What was asked, what was answered."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def fuzz(base_url: str, count: int, seed: int, told: Callable[[str], None] = lambda _: None) -> Report:
    """Send `count` requests to the gateway at `base_url`."""
    document = requests.get(f"{base_url}/api/openapi.json", timeout=TIMEOUT).json()
    operations = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
    report, chance = Report(), random.Random(seed)
    with requests.Session() as session:
        characters = Characters(session, base_url)
        while True:  # some cases cannot be sent, and some operations have few
            for operation in operations:
                documented = {int(status) for status in operation.definition.raw["responses"]} | EVERYWHERE
                for mode in GenerationMode:
                    told(f"{operation.label}, {mode.value}, {report.requests} so far")
                    for case in cases(operation, mode, AT_ONCE, chance.getrandbits(32)):
                        if report.requests >= count:
                            return report
                        _ask(case, session, base_url, documented, characters, chance, report)


def cases(operation: Any, mode: GenerationMode, count: int, seed: int) -> Iterator[Any]:
    """`count` cases of an operation; fewer where there are not so many (a GET without parameters has one)."""
    found: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    try:
        collect()
    except (hypothesis.errors.Unsatisfiable, hypothesis.errors.FailedHealthCheck):
        return  # nothing about it can be broken
    while found and len(found) < count:
        found += found[: count - len(found)]
    yield from found[:count]


class Characters:
    """Ids that are there; new ones when all have been deleted."""

    def __init__(self, session: requests.Session, base_url: str) -> None:
        self._session, self._url = session, f"{base_url}/api/characters"
        self._asked = 0
        self._ids: list[str] = []

    def one(self, chance: random.Random) -> str:
        if self._asked % 25 == 0 or not self._ids:
            name = f"fuzz_{chance.getrandbits(40)}"
            self._session.post(self._url, json={"name": name}, timeout=TIMEOUT)
            found = self._session.get(self._url, timeout=TIMEOUT).json()["characters"]
            self._ids = [each["id"] for each in found]
        self._asked += 1
        return chance.choice(self._ids)


def _ask(
    case: Any, session: requests.Session, base_url: str, documented: set[int], characters: Characters,
    chance: random.Random, report: Report,
) -> None:  # fmt: skip
    if case.path_parameters and chance.random() < 0.7:
        case.path_parameters = {name: characters.one(chance) for name in case.path_parameters}
    if isinstance(case.body, dict) and chance.random() < 0.5:
        case.body = {name: value for name, value in case.body.items() if name not in NAMES}
    try:
        answer = _sent(case, session, base_url, chance)
    except (ValueError, UnicodeError, requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
        return  # requests refuses to send it
    report.requests += 1
    report.statuses[answer.status_code] += 1
    report.by_operation.setdefault(case.operation.label, Counter())[answer.status_code] += 1
    fault = judge(answer.status_code, answer.content, documented, case.method)
    if fault:
        report.faults.append(f"{fault}: {case.as_curl_command()[:2_000]}\n    -> {answer.content[:300]!r}")


def _sent(case: Any, session: requests.Session, base_url: str, chance: random.Random) -> requests.Response:
    """The answer to a case; three of four of those that should bring a file bring one, the others what was made up."""
    kind = case.media_type or ""
    if chance.random() < 0.75:
        if kind.startswith(("image/", "audio/")):
            case.body = upload(kind, chance)
        elif kind == "multipart/form-data" and isinstance(case.body, dict) and any(name in case.body for name in FILES):
            picture = "image" in case.body or case.operation.path.endswith("portrait")
            file = upload("image/" if picture else "audio/", chance)
            files = {name: ("upload", file) for name in FILES if name in case.body}
            fields = {name: str(value) for name, value in case.body.items() if name not in FILES}
            url = case.as_transport_kwargs(base_url=base_url)["url"]
            return session.request(case.method, url, files=files, data=fields, timeout=TIMEOUT)
    return case.call(base_url=base_url, session=session, timeout=TIMEOUT)


def judge(status: int, content: bytes, documented: set[int], method: str) -> str:
    """What is wrong with an answer; "" when nothing is."""
    if status not in documented:
        return f"{status} is not documented"
    if status < 400 or method == "HEAD" or not content:
        return ""
    try:
        answer = json.loads(content)
        code = answer["error"]["code"] if "error" in answer else "not_ready"
        sentence = answer["error"]["message"] if "error" in answer else "."
    except (ValueError, KeyError, TypeError):
        return f"{status} without an error in JSON"
    if not sentence.endswith("."):
        return f"{status} without a sentence"
    if status >= 500 and (status, code) not in ENGINES_AWAY | {(503, "not_ready")}:
        return f"{status} {code}"
    return ""


def upload(kind: str, chance: random.Random) -> bytes:
    """A picture or recording, sometimes with a few bytes changed."""
    if kind.startswith("image/"):
        noise = np.random.default_rng(chance.getrandbits(32)).integers(0, 255, (40, 30, 3), np.uint8)
        suffix = chance.choice([".jpg", ".png", ".webp"])
        data = bytearray(cv2.imencode(suffix, cv2.resize(noise, (150, 200)))[1].tobytes())
    else:
        samples = np.random.default_rng(chance.getrandbits(32)).integers(-9_000, 9_000, 16_000 * 4)
        samples[16_000:24_000] //= 500
        file = io.BytesIO(wav_header(samples.size, 16_000) + samples.astype("<i2").tobytes())
        data = bytearray(file.getvalue())
    for _ in range(chance.choice([0, 0, 1, 5])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="antlitz bench fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--url", help="a gateway that runs already and may lose its characters")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    began = time.monotonic()
    with nullcontext(None) if options.url else up() as running:
        url = (options.url or running.url).rstrip("/")
        with console.status("asking") as status:
            report = fuzz(url, options.requests, options.seed, status.update)
    table = Table(title=f"{report.requests} requests, seed {options.seed}, {time.monotonic() - began:.0f} s")
    table.add_column("operation")
    table.add_column("answers")
    for operation, statuses in report.by_operation.items():
        table.add_row(operation, "  ".join(f"{status}: {number}" for status, number in sorted(statuses.items())))
    console.print(table)
    for fault in report.faults[:20]:
        console.print(fault, markup=False)
    console.print(f"{len(report.faults)} faults, {report.statuses[500]} answers with 500")
    return 1 if report.faults else 0
