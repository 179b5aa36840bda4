"""A gateway killed while it writes: nothing that was answered is lost, nothing is half, nothing is left over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

#: ANTLITZ_TEST_KILLS=200 for the figure of the README; it takes some minutes.
KILLS = int(os.environ.get("ANTLITZ_TEST_KILLS", "20"))


def test_killed_in_the_middle_of_writes(tmp_path: Path, database: str) -> None:
    script = Path(__file__).parents[1] / "gateway" / "killing.py"
    command = [sys.executable, "-P", str(script), str(tmp_path / "data"), database, str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 5 * KILLS, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] == KILLS and told["writes"] > KILLS, told
    assert told["orphans_after_the_next_start"] == 0, told
    print(told)
