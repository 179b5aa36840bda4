"""Mutated pictures and recordings: each is taken or refused in one sentence; nothing crashes, hangs or fills memory.

A decoder that crashes takes its process with it, so the files are looked at in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

#: ANTLITZ_TEST_MUTATIONS=20000 for a night.
MUTATIONS = int(os.environ.get("ANTLITZ_TEST_MUTATIONS", "2000"))


def test_mutated_files_never_crash() -> None:
    script = Path(__file__).with_name("mutating.py")
    command = [sys.executable, "-P", str(script), str(MUTATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + MUTATIONS / 4, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    told = json.loads(done.stdout)
    assert told["files"] == MUTATIONS
    # Were nearly all of them refused, or nearly none, the mutations would not reach what they are meant for.
    assert told["taken"] > MUTATIONS / 20 and told["refused"] > MUTATIONS / 10, told
    print(told)
