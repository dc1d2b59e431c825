"""The hosts that xlwings makes, each in a process of its own (see `hosted`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Tests are no packages: what they share is found by its place.
sys.path.insert(0, str(Path(__file__).parent))

from hosted import Hosted


@pytest.fixture(scope="session")
def classic():
    """Excel on Windows: xlwings' COM server over a stub of COM."""
    with Hosted("classic") as host:
        yield host


@pytest.fixture(scope="session")
def officejs():
    """Excel by Office.js: xlwings' own handling of custom functions."""
    with Hosted("officejs") as host:
        yield host
