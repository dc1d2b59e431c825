"""What the functions read is what their versions stand for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, cache
from pathlib import Path

import pytest

from engine import catalogue, prices
from tests.conformance.cases import cases_of, recorded
from udfs import registry
from udfs.versions import CALIBRATION, KINDS, TABLES, reads, versions

#: Which kind a file of `engine/data` belongs to.
KIND_OF = {f"{table}.csv": kind for kind, tables in TABLES.items() for table in tables} | {
    "calibration.json": CALIBRATION
}
_opened: set[str] = set()
_watching = False


def _note(event: str, arguments: tuple) -> None:
    if _watching and event == "open" and "data" in str(arguments[0]):
        path = Path(str(arguments[0]))
        if path.parts[-3:-1] == ("engine", "data"):
            _opened.add(path.name)


@cache
def caches() -> list[_lru_cache_wrapper]:
    """Return everything that the engine remembers."""
    list(registry)
    found = (one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper))
    return [one for one in found if one.__module__.startswith("engine")]


@contextmanager
def watched() -> Iterator[set[str]]:
    """Forget what was read, and note which files are opened now."""
    global _watching  # noqa: PLW0603  (a hook cannot be taken away again)
    for found in caches():
        found.cache_clear()
    _opened.clear()
    _watching = True
    try:
        yield _opened
    finally:
        _watching = False


@pytest.fixture(scope="module", autouse=True)
def hook() -> None:
    sys.addaudithook(_note)


def test_the_watch_sees_what_is_read() -> None:
    with watched() as opened:
        registry["TOK_MARKET_PRICE"]("groq", "llama-3.3-70b")
    assert opened == {"prices.csv"}


@pytest.mark.parametrize("name", list(registry))
def test_a_function_reads_what_is_declared(name: str) -> None:
    """A version that stood for less would hide why a cell moved."""
    calls = recorded(name)["calls"]
    with watched() as opened:
        for case in cases_of(name, calls):
            if case.id.removeprefix(f"{name}-") in calls:
                registry[name](*case.cells)
    # Every file that a function reads has a version.
    assert {KIND_OF[file] for file in opened} <= set(reads(registry[name].engine))


def test_a_version_is_a_date_and_a_hash() -> None:
    found = versions()
    assert tuple(found) == KINDS
    for kind in KINDS[1:]:
        day, digest = found[kind].split()
        assert day == max(day, "2026-01-01")
        assert len(digest) == 8
    assert versions() == found


def test_another_row_is_another_version(monkeypatch) -> None:
    before, read = versions(), catalogue.table
    monkeypatch.setattr(
        catalogue,
        "table",
        lambda kind: read(kind)[:-1] if kind == "gpu_hour_prices" else read(kind),
    )
    after = versions()
    assert {kind for kind in KINDS if before[kind] != after[kind]} == {"prices"}


def test_prices_of_ones_own_are_another_version(tmp_path: Path, monkeypatch) -> None:
    before = versions()["prices"]
    own = tmp_path / "own.csv"
    own.write_text("provider,model,side,usd_per_mtok\ngroq,llama-3.3-70b,output,0.9\n")
    monkeypatch.setenv(prices.OWN_FILE, str(own))
    assert versions()["prices"].startswith(f"{before}, own prices ")
