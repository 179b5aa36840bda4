"""`python -m export`."""

import sys
from pathlib import Path

# Started so, Python looks into the working folder first, where torch's compiler `triton` would be our folder.
ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]

from export.cli import main  # noqa: E402 - after the path is right

sys.exit(main())
