"""`antlitz bench render`: CPU milliseconds per frame of `render_meshwarp`, in a process of its own.

The measuring is the runtime's (`avatar_runtime.face.sheet`), which the gateway may not import.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from gateway.bench.faces import sheet_command

TARGET_MS = 8.0


def main(arguments: list[str]) -> int:
    """Prints mean and 95th percentile for each default portrait; 1 when the mean of all is over TARGET_MS."""
    argparse.ArgumentParser(prog="antlitz bench render", description=__doc__).parse_args(arguments)
    done = subprocess.run(sheet_command("time"), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        return done.returncode
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    for name, figures in found.items():
        sys.stdout.write(f"{name:<30} mean {figures['mean_ms']:6.2f} ms   p95 {figures['p95_ms']:6.2f} ms\n")
    mean = sum(figures["mean_ms"] for figures in found.values()) / len(found)
    sys.stdout.write(f"{'all':<30} mean {mean:6.2f} ms   target {TARGET_MS:.1f} ms\n")
    return int(mean > TARGET_MS)
