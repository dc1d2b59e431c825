"""Which contract and data the worksheet functions compute with, and which function reads what.

A version is a date and a short hash of the content, the same on every machine: of data the newest
day on which a row was checked, of the contract the release of the package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from operator import is_
from pathlib import Path
from typing import Any

import engine
from engine import catalogue, prices
from engine.serving.constants import calibration

#: What the functions promise and how they compute it: their code.
CONTRACT = "contract"
#: The tables of `engine/data` that functions read, by what they are called together.
TABLES: Mapping[str, tuple[str, ...]] = {
    "catalogue": ("models", "accelerators", "formats", "claims"),
    "prices": ("prices", "provider_prices", "gpu_hour_prices"),
}
CALIBRATION = "calibration"
#: Everything that has a version, in the order in which it is told.
KINDS = (CONTRACT, *TABLES, CALIBRATION)

# What is read by the functions of a module, or by one of them; all others read nothing.
_READ_BY: Mapping[str, tuple[str, ...]] = {
    "engine.serving": ("catalogue", CALIBRATION),
    "engine.uncertainty": (*TABLES, CALIBRATION),
    "engine.claims": (*TABLES, CALIBRATION),
    "engine.listing": (*TABLES, CALIBRATION),
    "engine.listing.spec": ("catalogue",),
    "engine.prices": ("prices",),
    "engine.rental": ("catalogue", "prices"),
}
_SHORT = 8
_CODE = ("cells.py", "series.py", "calls.py", "declare.py", "functions.py")


def versions() -> dict[str, str]:
    """Return the version of everything that the functions compute with now, by `KINDS`."""
    found = {CONTRACT: f"{engine.__version__} {_code()}"}
    for kind, tables in TABLES.items():
        found[kind] = _of_tables(_Same(tuple(catalogue.table(table) for table in tables)))
    if own := prices.own_file_prices():
        found["prices"] += f", own prices {_hash(sorted([*key, usd] for key, usd in own.items()))}"
    found[CALIBRATION] = _of_calibration(_Same((calibration(),)))
    return found


def reads(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return what an engine function reads of `TABLES` and the calibration."""
    name = f"{function.__module__}.{function.__name__}"
    while name and name not in _READ_BY:
        name = name.rpartition(".")[0]
    return _READ_BY.get(name, ())


class _Same:
    """Contents that are the same where they are the very same objects: they are read once."""

    def __init__(self, contents: tuple[Any, ...]) -> None:
        self.contents = contents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and all(map(is_, self.contents, other.contents))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.contents)))


@lru_cache(maxsize=len(TABLES))
def _of_tables(same: _Same) -> str:
    newest = max(row["checked"] for table in same.contents for row in table)
    return f"{newest} {_short(_written(table) for table in same.contents)}"


@lru_cache(maxsize=1)
def _of_calibration(same: _Same) -> str:
    (fitted,) = same.contents
    return f"{fitted['provenance']['fitted_on']} {_hash(fitted)}"


@cache
def _code() -> str:
    """Return a short hash of the code that the result of a function hangs on."""
    here, model = Path(__file__).parent, Path(engine.__file__).parent
    paths = [*sorted(model.rglob("*.py"), key=Path.as_posix), *(here / name for name in _CODE)]
    # A check-out on Windows may end its lines in another way.
    return _short(path.read_bytes().replace(b"\r\n", b"\n") for path in paths)


def _hash(content: Any) -> str:
    return _short([json.dumps(content, sort_keys=True).encode()])


def _written(table: Sequence[Mapping[str, str]]) -> bytes:
    """Return a table as one text: signs that no cell holds stand between its cells."""
    header = "\x1f".join(table[0]) if table else ""
    return "\x1e".join([header, *("\x1f".join(row.values()) for row in table)]).encode()


def _short(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()[:_SHORT]
