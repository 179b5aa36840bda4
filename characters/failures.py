"""What keeping characters can fail with, beside a request that makes no sense."""

from __future__ import annotations

import errno
from typing import Final

#: What an OSError says when there is no room.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageFailed(Exception):
    """The disk takes no more. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("The gateway cannot write to its disk, which may be full; nothing was changed.")


class StorageAway(Exception):
    """The server of the database or of the files does not answer. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("The characters' storage does not answer at the moment; nothing was changed.")
