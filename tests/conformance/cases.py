"""The cases that every host must answer alike: made from one typical call of each function.

From each call come the others: optional arguments left out or blank, required ones blank, text,
TRUE, an error value, a number outside the domain, a column, a grid. What is expected stands in
tests/data/conformance.json; `python tests/conformance/record.py` writes it anew after a change of
the engine, for review.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from udfs import CellError, registry

EXPECTED = Path(__file__).parents[1] / "data" / "conformance.json"

_LLAMA = ("llama-3.1-70b", "h100_sxm")
_LOAD = (64.0, 1024.0, 1024.0, 2.0, 1.0, 1.0, "fp8")
#: One call of each function, every argument given that has no text default of its own.
TYPICAL: dict[str, tuple[Any, ...]] = {
    "TOK_WEIGHT_GB": (70.0, 8.0),
    "TOK_DECODE_TIME": (140.0, 3.35),
    "TOK_COST_PER_MTOK": (30.0, 23.93, 0.5, 2.0),
    "TOK_COST_CUT": (4.0,),
    "TOK_COMBINED_GAIN": ([[1.5, 3.0], [10.0, 1.0]],),
    "TOK_STACKED_CUT": ([[0.2], [0.5], [0.3], [0.1]],),
    "TOK_SPECULATIVE_TOKENS": (0.8, 4.0),
    "TOK_ACTIVE_EXPERTS": (256.0, 8.0, 64.0),
    "TOK_THROUGHPUT": (*_LLAMA, *_LOAD),
    "TOK_TPOT": (*_LLAMA, *_LOAD),
    "TOK_TTFT": (*_LLAMA, *_LOAD),
    "TOK_SERVING_COST": (2.5, 0.6, *_LLAMA, *_LOAD),
    "TOK_SERVING_BAND": (2.5, 0.6, *_LLAMA, *_LOAD),
    "TOK_MAX_CONCURRENCY": (*_LLAMA, *_LOAD[1:]),
    "TOK_BREAKDOWN": (*_LLAMA, *_LOAD),
    "TOK_PARETO": (2.5, 0.6, *_LLAMA, 1024.0, 1024.0, "fp8"),
    "TOK_WATERFALL": (2.5, *_LLAMA, 64.0, 0.8, 4.0, "llama-3.1-8b", 4.0),
    "TOK_BREAKEVEN_PRICE": (2.0, 1000.0, 0.5, 1.0, 0.3),
    "TOK_BREAKEVEN_UTILISATION": (0.88, 2.0, 1000.0, 1.0),
    "TOK_BREAKEVEN_VOLUME": (1e6, 0.75, 0.25),
    "TOK_BLENDED_PRICE": (0.5, 1.5, 3000.0, 1000.0, 0.4, 0.1),
    "TOK_SUBSIDY": (0.88, 3.0),
    "TOK_VERDICT": (0.88, 3.0, 5.0),
    "TOK_SUBSIDY_LOSS": (10e9, 0.88, 3.88, 30.0),
    "TOK_RUNWAY": (305e6, 10e9, 0.88, 3.88, 1.0, -0.5, -0.3),
    "TOK_SUBSIDY_PATH": (305e6, 10e9, 0.88, 3.88, 1.0, -0.5, -0.3, 6.0),
    "TOK_MARKET_VOLUME": (8.5e9, 2.5, 365.0),
    "TOK_MARKET_SIZE": (9.3e12, 2.5, 365.0),
    "TOK_CAGR": (55.0, 110.0, 2.0),
    "TOK_ANNUALISED": (-0.9, 18.0),
    "TOK_VOLUME_MULTIPLE": (1.0, -0.5),
    "TOK_DEMAND": (0.5, 1.0, 100.0, -1.5),
    "TOK_MARKET_PATH": (8.5e9, 2.5, 1.0, -0.5, 3.0, 0.5),
    "TOK_OWNED_GPU_HOUR": (30000.0, 5.0, 3000.0, 0.1, 700.0, 1.3, 0.08, 1500.0, 0.4, 50.0),
    "TOK_RENT_VS_OWN": (2.5, 6000.0, 30000.0, 3.0, 3000.0, 0.1, 700.0, 1.3, 0.08, 1500.0),
    "TOK_OWN_BREAKEVEN_HOURS": (2.5, 30000.0, 3.0, 3000.0, 0.1, 700.0, 1.3, 0.08, 1500.0),
    "TOK_COMMITMENT": (5.0, 3.0, 1000.0, 1200.0),
    "TOK_SHARED_GPU": (2.5, 4.0, 0.1),
    "TOK_DEPRECIATION": (50e9, 5.0, 1e9),
    "TOK_ENERGY_PER_MTOK": (700.0, 1098.0, 1.3),
    "TOK_CARBON_PER_MTOK": (700.0, 1098.0, 1.3, 0.4),
    "TOK_PRICE_FLOOR": (30000.0, 1098.0, 5.0, 700.0, 1.3, 0.08, 0.6),
    "TOK_UPGRADE_COST": (2.5, 1.3, 1.4, 0.2),
    "TOK_AGENT_SESSION": (10.0, 1.0, 2.0, 1000.0, 100.0, 500.0, 0.5, 0.1),
    "TOK_VIDEO_COST": (60.0, 30.0, 0.5, 2.5),
    "TOK_TRAINING_COST": (2.1e25, 312.0, 0.35, 2.0),
    "TOK_SUBSCRIPTION_MARGIN": (20.0, 1000.0, 0.01, 1.0, 3000.0),
    "TOK_ALLOCATE": (
        100.0,
        [[60.0], [50.0], [80.0]],
        [[3.0], [1.0], [2.0]],
        [[0.1], [0.2], [0.9]],
        0.5,
    ),
    "TOK_SPEC": ("h100_sxm", "tdp_w"),
    "TOK_LIST": ("accelerators",),
    "TOK_MARKET_PRICE": ("together", "llama-3.3-70b", "output"),
    "TOK_CLAIM": ("subsidy_annual", "ratio"),
    "TOK_TORNADO": (
        "TOK_SUBSIDY",
        [["price", 0.5, 0.88, 1.0], ["breakeven", 2.0, 3.0, 5.0]],
    ),
    "TOK_MONTE_CARLO": (
        "TOK_SUBSIDY",
        [["price", 0.5, 0.88, 1.0], ["breakeven", 2.0, 3.0, 5.0]],
        1000.0,
        7.0,
    ),
}


class Case(NamedTuple):
    """One call and, once recorded, what it must give."""

    id: str
    function: str
    cells: tuple[Any, ...]


def cases() -> Iterator[Case]:
    """Yield every case of every declared function."""
    for name, function in registry.items():
        typical = TYPICAL[name]
        yield Case(f"{name}-typical", name, typical)
        if function.required < len(function.parameters):
            yield Case(f"{name}-defaults", name, typical[: function.required])
            blank = (*typical[: function.required], None)
            yield Case(f"{name}-blank-optional", name, blank)
        for i, kind in enumerate(function.kinds[: function.required]):
            argument = function.parameters[i]
            for what, cell in (("blank", None), ("error", CellError("#N/A"))):
                yield Case(f"{name}-{argument}-{what}", name, _with(typical, i, cell))
            if kind in ("number", "scalar"):
                yield Case(f"{name}-{argument}-text", name, _with(typical, i, "text"))
                yield Case(f"{name}-{argument}-true", name, _with(typical, i, True))
                yield Case(f"{name}-{argument}-outside", name, _with(typical, i, -1e6))
            elif kind in ("model", "accelerator", "text"):
                yield Case(f"{name}-{argument}-unknown", name, _with(typical, i, "nosuchthing"))
        if function.broadcasts and "number" in function.kinds:
            yield from _ranges(name, function, typical)


def _ranges(name: str, function: Any, typical: tuple[Any, ...]) -> Iterator[Case]:
    places = [i for i, kind in enumerate(function.kinds[: len(typical)]) if kind == "number"]
    first = typical[places[0]]
    column = [[first], [first * 1.25], [None], ["text"], [CellError("#DIV/0!")], [-1e6]]
    yield Case(f"{name}-column", name, _with(typical, places[0], column))
    if len(places) > 1 and function.result != "row":
        row = [[typical[places[1]], typical[places[1]] * 0.75]]
        grid = _with(_with(typical, places[0], column[:2]), places[1], row)
        yield Case(f"{name}-grid", name, grid)


def _with(cells: tuple[Any, ...], place: int, cell: Any) -> tuple[Any, ...]:
    return (*cells[:place], cell, *cells[place + 1 :])


def as_json(value: Any) -> Any:
    """Return a result as JSON: an error by its code alone, since reasons stay out of cells.

    An empty text and an empty cell look alike, and some hosts cannot tell them apart.
    """
    if isinstance(value, list):
        return [[as_json(cell) for cell in row] for row in value]
    if isinstance(value, CellError):
        return {"error": value.code}
    return None if value == "" else value


def expected() -> dict[str, Any]:
    """Return what each case must give, by its id."""
    recorded: dict[str, Any] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return recorded


def difference(wanted: Any, got: Any, tolerance: float = 1e-9) -> str:
    """Return how a result differs from what is expected; empty where it does not."""
    if isinstance(wanted, list) != isinstance(got, list):
        return f"wanted {wanted!r}, got {got!r}"
    if isinstance(wanted, list):
        if [len(row) for row in wanted] != [len(row) for row in got]:
            return f"wanted {len(wanted)} rows of {len(wanted[0])}, got {len(got)} of {len(got[0])}"
        return next(
            (
                f"row {r + 1}, column {c + 1}: {told}"
                for r, (row, other) in enumerate(zip(wanted, got, strict=True))
                for c, (one, two) in enumerate(zip(row, other, strict=True))
                if (told := difference(one, two, tolerance))
            ),
            "",
        )
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        close = abs(wanted - got) <= tolerance * max(1e-300, abs(wanted))
        return "" if close else f"wanted {wanted!r}, got {got!r}"
    return "" if wanted == got else f"wanted {wanted!r}, got {got!r}"
