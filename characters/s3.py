"""Files that several gateways share: an S3-compatible store, through boto3 (`pip install 'antlitz[s3]'`).

Keys, region and endpoint are boto3's own: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_S3.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from characters.assets import NAME, checked
from characters.failures import StorageAway

CONNECT_TIMEOUT: Final = 5  # s
READ_TIMEOUT: Final = 20  # s
_GONE: Final = ("404", "NoSuchKey", "NotFound")


class S3Assets:
    """`Assets` in a bucket: ``<prefix>/ab/ab12…``. An object is there wholly or not at all; S3 sees to that."""

    def __init__(self, address: str) -> None:
        """`address` is ``s3://BUCKET/PREFIX``. ValueError with one sentence without boto3."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise ValueError("ANTLITZ_ASSETS needs boto3: pip install 'antlitz[s3]'.") from error
        parts = urlsplit(address)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        config = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"max_attempts": 2})
        self._client: Any = boto3.client("s3", config=config)
        self._refused, self._away = ClientError, BotoCoreError

    def put(self, data: bytes) -> str:
        """Store `data` and return its SHA-256 (hex). S3 checks what has arrived; what is there is not sent again."""
        digest = hashlib.sha256(data)
        key, name = self._key(digest.hexdigest()), digest.hexdigest()
        with self._told():
            if self._size(key) != len(data):
                checksum = base64.b64encode(digest.digest()).decode()
                self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ChecksumSHA256=checksum)
        return name

    def get(self, sha256: str) -> bytes | None:
        """The object's bytes; None when it is gone."""
        key = self._key(checked(sha256))
        with self._told():
            try:
                found: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._refused as error:
                if error.response["Error"]["Code"] in _GONE:
                    return None
                raise
        return found

    def remove(self, sha256: str) -> None:
        """Delete an object, if it is there."""
        key = self._key(checked(sha256))
        with self._told():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def stored(self) -> Iterator[str]:
        """The SHA-256 of every object."""
        prefix = f"{self._prefix}/" if self._prefix else ""
        with self._told():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    folder, _, name = item["Key"].removeprefix(prefix).rpartition("/")
                    if NAME.fullmatch(name) and folder == name[:2]:
                        yield name

    def discard_unfinished(self) -> None:
        """There is nothing unfinished."""

    def _size(self, key: str) -> int | None:
        try:
            return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except self._refused as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise

    def _key(self, sha256: str) -> str:
        return "/".join([*filter(None, [self._prefix]), sha256[:2], sha256])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (self._refused, self._away) as error:
            raise StorageAway from error
