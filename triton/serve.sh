#!/usr/bin/env bash
# Starts tritonserver on this repository's models, and nothing else: triton/serve.sh [HTTP [GRPC [METRICS]]] [-- options]
# By hand, with a tritonserver of your own:
#   PYTHONPATH=triton ANTLITZ_MODELS=… tritonserver --model-repository model_repository
set -euo pipefail
exec antlitz serve "$@"
