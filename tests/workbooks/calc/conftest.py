"""What the tests of the calculators share."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no packages: what they share is found by its place.
sys.path.append(str(Path(__file__).parent))
