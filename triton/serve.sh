#!/usr/bin/env bash
# tritonserver on this repository's models, and nothing else: triton/serve.sh [HTTP [GRPC [METRICS]]] [-- options]
# Needs the environment that Antlitz is installed in: the Python backend's stubs look for avatar_runtime there
# (they take the environment of the `python3` on PATH, and no PYTHONPATH).
set -euo pipefail
exec antlitz serve "$@"
