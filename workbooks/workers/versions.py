"""What has to be the same on every machine, for all to compute the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from engine.prices import OWN_FILE

_PACKAGES = ("numpy", "scipy", "formualizer")
_OWN = ("engine", "udfs", "workbooks")
_DIGITS = 12


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of all that a result hangs on, by name."""
    found = {name: version(name) for name in _PACKAGES}
    found["tokenbook"] = f"{version('tokenbook')} (source {_source()})"
    own = os.environ.get(OWN_FILE)
    found["own prices"] = (
        "none" if not own else hashlib.sha256(Path(own).read_bytes()).hexdigest()[:_DIGITS]
    )
    return found


def _source() -> str:
    """Return a hash of the program and its data: two of one version need not be the same."""
    digest, root = hashlib.sha256(), Path(__file__).parents[2]
    for package in _OWN:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".pyo"):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def difference(wanted: Mapping[str, str]) -> str:
    """Say what differs here from the versions that are wanted; nothing where all agree."""
    mine = versions() if wanted else {}
    return ", ".join(
        f"{name} is {mine.get(name)} in place of {one}"
        for name, one in wanted.items()
        if mine.get(name) != one
    )
