"""The month judged, computed anew with other inputs: tornado, bridge, and a grid of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbooks.authoring.layout import Book, Ref
from workbooks.authoring.timeline import FIRST, Grid, cases
from workbooks.templates.plan.inputs import VARIED
from workbooks.templates.plan.operations import (
    add_demand,
    add_fleet,
    add_result,
    add_unit_economics,
)

#: Factors on the price and utilisations of the grid.
_PRICES = (0.6, 0.8, 1.0, 1.2, 1.4)
_USES = (0.3, 0.4, 0.5, 0.6, 0.7)


@dataclass(frozen=True)
class Cases:
    """The sheet of cases, and which of its columns belong to what."""

    grid: Grid
    prices: Ref
    uses: Ref
    base: int
    downsides: range
    upsides: range
    bridge: range
    crossed: range


def add_cases(book: Book, inputs: Sequence[dict[str, Ref]], served: dict[str, Ref]) -> Cases:
    """Add the cases: base, each input at its downside and upside, the bridge, the grid."""
    sheet = book.sheet(
        "Cases", "The month judged, with other inputs",
        "The rows of the scenarios' sheets, each column with inputs of its own", (), long=True,
    )  # fmt: skip
    base, upside, downside = inputs
    axes = _axes(book)
    keys = list(VARIED)
    count = len(keys)
    names = ["Base", *(f"{VARIED[k]}, downside" for k in keys),
             *(f"{VARIED[k]}, upside" for k in keys), *(f"and {VARIED[k].lower()}" for k in keys),
             *("Grid",) * (len(_PRICES) * len(_USES))]  # fmt: skip
    columns = [dict(base)]
    columns += [{**base, key: downside[key]} for key in keys]
    columns += [{**base, key: upside[key]} for key in keys]
    columns += [{**base, **{key: downside[key] for key in keys[: i + 1]}} for i in range(count)]
    shared = {k: ref for k, ref in {**base, **served}.items() if k not in VARIED}
    grid = cases(sheet, names, shared)
    grid.section("Inputs of the case")
    crossed = [(p, u) for p in range(len(_PRICES)) for u in range(len(_USES))]
    for key in keys:
        formulas = [str(column[key]) for column in columns]
        for p, u in crossed:
            formula = str(base[key])
            if key == "price_level":
                formula += f"*{axes[0].at(p)}"
            elif key == "peak":
                formula = f"MAX(1,1/({axes[1].at(u)}*(1+{base['headroom']})))"
            formulas.append(formula)
        grid.each(key, VARIED[key], formulas, "", "ratio")
    grid.row("month", "Month", "{judged}", "", "integer")
    grid.row("since", "Months since the start", "{month}-1", "months", "integer")
    add_demand(grid)
    add_fleet(grid)
    add_result(grid)
    add_unit_economics(grid)
    ends = [1 + i * count for i in range(4)]
    downsides, upsides, bridge = (range(ends[i], ends[i + 1]) for i in range(3))
    return Cases(grid, *axes, 0, downsides, upsides, bridge, range(ends[3], len(names)))


def _axes(book: Book) -> tuple[Ref, Ref]:
    sheet = next(sheet for sheet in book.sheets if sheet.name == "Inputs")
    sheet.heading("Axes of the grid of price and utilisation")
    axes = sheet.table(
        ("Price\nof the base", "Utilisation"), list(zip(_PRICES, _USES, strict=True)),
        ("input percent", "input percent"),
        ("grid_price", "grid_use"),
    )  # fmt: skip
    return axes.part(0), axes.part(1)


def column_of(index: int) -> int:
    """Return the column of a case on its sheet."""
    return FIRST + index
