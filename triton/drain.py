"""Before a gateway's container is stopped: waits until its last talk has ended. drain.py [most seconds]

Kubernetes calls it as a preStop hook: by then nobody new is sent here, and the signal to end comes when it returns.
"""

import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.request

EVERY_SECONDS = 2.0
SESSIONS = re.compile(r"^antlitz_sessions ([0-9.e+]+)$", re.MULTILINE)


def sessions(port: str) -> float:
    """How many talks go on; 0 when nobody answers any more."""
    unproven = ssl._create_unverified_context()  # our own loopback address
    for scheme in ("https", "http"):
        try:
            with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/metrics", timeout=4, context=unproven) as answer:
                found = SESSIONS.search(answer.read().decode())
                return float(found[1]) if found else 0.0
        except (urllib.error.URLError, OSError):
            continue
    return 0.0


def drain(port: str, most: float) -> bool:
    """Whether every talk has ended within `most` seconds."""
    end = time.monotonic() + most
    while sessions(port) > 0:
        if time.monotonic() >= end:
            return False
        time.sleep(min(EVERY_SECONDS, max(0.0, end - time.monotonic())))
    return True


if __name__ == "__main__":
    drain(os.environ.get("ANTLITZ_PORT", "8080"), float(sys.argv[1]) if len(sys.argv) > 1 else 600.0)
