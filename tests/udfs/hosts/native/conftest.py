"""Tests are no packages: what they share is found by its place."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[3]
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "udfs")]
