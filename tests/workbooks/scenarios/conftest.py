"""What the tests of sweeps and simulations share."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no packages: what they share is found by its place.
sys.path.insert(0, str(Path(__file__).parent))
