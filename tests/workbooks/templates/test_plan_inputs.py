"""Each input of the plan changed in its own turn: what follows is what should, no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string

from workbooks import templates
from workbooks.authoring.limits import limited_inputs
from workbooks.authoring.parts import Limit
from workbooks.build import build
from workbooks.recalc import setup_for
from workbooks.recalc.run import opened
from workbooks.scenarios.model import Model

SCENARIOS = ("Base", "Upside", "Downside")
Place = tuple[str, int, int]
_PLACE = r"(?:(?:'([^']+)'|(\b[A-Za-z]\w*))!)?\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?"
_PLACES = re.compile(rf"\"[^\"]*\"|{_PLACE}")
#: What has to be chosen first, for an input to count: the other curve, a round of some size.
FIRST: dict[str, dict[str, float | str]] = {
    "chat_midpoint": {"chat_curve": "s-curve"}, "chat_rise": {"chat_curve": "s-curve"},
    "batch_midpoint": {"batch_curve": "s-curve"}, "batch_rise": {"batch_curve": "s-curve"},
    "agent_start": {"agent_curve": "ramp"}, "batch_cached_price": {"batch_cached": 0.2},
    "round_month_2": {"round_usd_2": 1e6}, "round_month_3": {"round_usd_3": 1e6},
}  # fmt: skip
#: No other value is allowed: it is a definition.
FIXED = {"year_months"}


@pytest.fixture(scope="module")
def book():
    return templates.lay_out("plan")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    return build("plan", tmp_path_factory.mktemp("plan")).path


@pytest.fixture(scope="module")
def reached(built) -> Callable[[Place], set[Place]]:
    """Return a function: from a cell, all cells that depend on it."""
    users: dict[Place, list[Place]] = {}
    for sheet in load_workbook(built):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                here = (sheet.title, cell.row, cell.column)
                text = str(cell.value).replace("checks_flag", "Checks!$A$3")
                for quoted, plain, left, top, right, bottom in _PLACES.findall(text):
                    if not left:
                        continue
                    home = quoted or plain or sheet.title
                    first, last = (column_index_from_string(c) for c in (left, right or left))
                    for r in range(int(top), int(bottom or top) + 1):
                        for c in range(first, last + 1):
                            users.setdefault((home, r, c), []).append(here)

    def follow(start: Place) -> set[Place]:
        seen, waiting = {start}, [start]
        while waiting:
            for user in users.get(waiting.pop(), ()):
                if user not in seen:
                    seen.add(user)
                    waiting.append(user)
        return seen - {start}

    return follow


def sheets_of(cells: set[Place]) -> set[str]:
    """Return the sheets of cells; not the flag and the cover, which see every cell."""
    return {sheet for sheet, *_ in cells} - {"Inputs", "Checks", "Cover"}


def figures_of(cells: set[Place]) -> set[Place]:
    """Return the cells but for the flag, which stands on every sheet."""
    return {cell for cell in cells if cell[1:] != (3, 1)}


def test_each_input_reaches_what_it_should_and_nothing_else(book, reached):
    checked = 0
    for name, ref in book.names.items():
        if ref.sheet not in ("Inputs", "Serving") or name in ("tolerance", "priced"):
            continue
        found = figures_of(reached((ref.sheet, ref.row, ref.column)))
        sheets = sheets_of(found)
        checked += 1
        if name == "scenario":
            assert sheets == {"Statements"}
            continue
        if name == "judged" or name.startswith("grid_"):
            assert sheets <= {"Cases", "Decision"}, name
            assert "Decision" in sheets, name
            continue
        if name == "first_day":
            assert sheets == {*SCENARIOS, "Decision"}
            continue
        for i, scenario in enumerate(SCENARIOS):
            others = [f"_{s.lower()}" for s in SCENARIOS if s != scenario]
            if any(name.endswith(other) for other in others):
                # It moves neither another scenario's months nor its figures on the page.
                assert scenario not in sheets, name
                own = {c for s, r, c in found if s == "Decision" and 5 < r < 20 and c <= 4}
                assert 2 + i not in own, name
            elif name.endswith(f"_{scenario.lower()}") or scenario in sheets:
                assert scenario in sheets, name
                assert "Decision" in sheets, name
        assert sheets & set(SCENARIOS), f"{name} moves nothing"
    assert checked > 100


def within(value: float, limit: Limit) -> bool:
    """Tell whether a value is within limits."""
    low = limit.low is None or value > limit.low or (value == limit.low and not limit.low_open)
    high = limit.high is None or value < limit.high or (value == limit.high and not limit.high_open)
    return low and high and (not limit.whole or value == round(value))


def changes(book, workbook) -> dict[str, tuple[float | str, list[float | str]]]:
    """Return each input's value, and others that it may have."""
    values = {(s.name, c.row, c.column): c for s in book.sheets for c in s.cells}
    choices = {
        (ref.sheet, ref.row, ref.column): (sheet.name, text)
        for sheet in book.sheets
        for ref, text in sheet.choices
    }
    limits = {
        (sheet, item.place.row + r, item.place.column + c): item.limit
        for sheet, items in limited_inputs(book).items()
        for item in items
        for r in range(item.place.rows)
        for c in range(item.place.columns)
    }
    found: dict[str, tuple[float | str, list[float | str]]] = {}
    for name, ref in book.names.items():
        place = (ref.sheet, ref.row, ref.column)
        cell = values.get(place)
        if cell is None or cell.role != "input":
            continue
        value = cell.value if isinstance(cell.value, str) else float(cell.value)
        if place in choices:
            home, text = choices[place]
            listed: list[object] = list(text.strip('"').split(","))
            if text.startswith("="):
                sheet, _, area = text[1:].rpartition("!")
                rows = workbook[sheet.strip("'") or home][area.replace("$", "")]
                listed = [one.value for row in rows for one in row]
            options = [o if isinstance(value, str) else float(str(o)) for o in listed]
            others: list[float | str] = [o for o in options if o != value][:3]
        else:
            number = float(value)
            tried = (number * 1.1, number * 0.5, number * 0.05, number + 1, number + 0.1)
            others = [o for o in tried if o != number and within(o, limits[place])]
        found[name] = (value, others)
    return found


@pytest.mark.long
def test_each_input_changes_what_hangs_on_it_and_nothing_else(book, built, reached):
    """Every cell of the workbook, with each input in its turn at another value that it may have."""
    possible = changes(book, load_workbook(built))
    names = list(possible)
    assert len(names) > 140
    base = {name: value for name, (value, _) in possible.items()}
    trials = [
        (name, {**base, **FIRST.get(name, {})}, other)
        for name, (_, others) in possible.items()
        for other in others
    ]
    assert set(names) - {name for name, *_ in trials} == FIXED
    rows = [
        list(row.values())
        for name, before, other in trials
        for row in (before, {**before, name: other})
    ]
    setup = setup_for()
    with opened(built, setup) as job:
        model = Model(job, names, ["Checks!A3"], setup.functions)
        program = model.compiled()
        assert program is not None, model.reason
        cells = program.cells
        given = [program.texts.gathered(list(column)) for column in zip(*rows, strict=True)]
        columns = program.run(given, len(rows), cells)
    moved: dict[str, set[Place]] = {name: set() for name in names}
    for place, column in zip(cells, columns, strict=True):
        kind = np.broadcast_to(np.asarray(column.kind), (len(rows),))
        number = np.broadcast_to(np.asarray(column.num, dtype=float), (len(rows),))
        same = (kind[::2] == kind[1::2]) & (
            (number[::2] == number[1::2]) | (np.isnan(number[::2]) & np.isnan(number[1::2]))
        )
        for trial in np.flatnonzero(~same):
            moved[trials[trial][0]].add(place)
    for name, places in moved.items():
        ref = book.names[name]
        hanging = reached((ref.sheet, ref.row, ref.column))
        assert places <= hanging, (name, sorted(places - hanging)[:5])
        # A limit shown beside the input, or a copy of it, is no result.
        shown = "Checks" if name in ("priced", "tolerance") else "Decision"
        wanted = {"Statements"} if name == "scenario" else {shown}
        assert name in FIXED or wanted & {p[0] for p in figures_of(places)}, f"{name} moves nothing"
