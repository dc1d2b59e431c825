"""A second calculator, IronCalc, asked about the native formulas of a workbook.

It runs in a process of its own (deep formulas crash it), on a frozen copy: own functions are
values there. Run as a module with the path of the copy, this prints what IronCalc makes of each
formula, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from udfs.cells import Cell, CellError
from workbooks.formula.address import full_name

#: Two calculators that round at other places still agree to this.
RELATIVE, ABSOLUTE = 1e-9, 1e-12
_SECONDS = 120


class Disagreement(NamedTuple):
    """A cell for which the two calculators have different values, and whose the file holds."""

    address: str
    ours: Cell
    theirs: Cell
    side: str


class OtherCalculatorError(RuntimeError):
    """IronCalc is not there, or cannot take the workbook; the message says which."""


def ask(path: Path) -> dict[str, Cell]:
    """Return what IronCalc makes of each formula, by address; errors as `CellError`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workbooks.review.cross_check", str(path)],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise OtherCalculatorError(f"IronCalc took over {_SECONDS} s") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OtherCalculatorError(lines[-1] if lines else f"IronCalc ended with {done.returncode}")
    try:
        values = json.loads(done.stdout)
    except ValueError as error:
        raise OtherCalculatorError("IronCalc gave nothing that can be read") from error
    return {a: CellError(v[1:]) if _is_error(v) else v for a, v in values.items()}


def agree(ours: Cell, theirs: Cell) -> bool:
    """Tell whether two calculators mean the same value."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= max(ABSOLUTE, RELATIVE * max(abs(ours), abs(theirs)))
    if isinstance(ours, CellError) and isinstance(theirs, CellError):
        return ours.code == theirs.code
    if ours in (None, "", 0.0) and theirs in (None, "", 0.0):
        return True
    return type(ours) is type(theirs) and ours == theirs


def side(held: Cell, ours: Cell, theirs: Cell) -> str:
    """Return which of two calculators sides with the value that a file holds.

    Examples
    --------
    >>> side(3.0, 3.0, 4.0), side(4.0, 3.0, 4.0), side(5.0, 3.0, 4.0), side(None, 3.0, 4.0)
    ('ours', 'IronCalc', 'neither', 'the file holds none')
    """
    if held is None:
        return "the file holds none"
    sides = {(True, True): "both", (True, False): "ours", (False, True): "IronCalc"}
    return sides.get((agree(ours, held), agree(theirs, held)), "neither")


def _is_error(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("\x00#")


def _values(path: str) -> dict[str, Any]:
    import ironcalc  # noqa: PLC0415  (an optional extra)

    model = ironcalc.load_from_xlsx(path, "en", "UTC")
    model.evaluate()
    names = [sheet["name"] for sheet in model.get_worksheets_properties()]
    found: dict[str, Any] = {}
    for sheet, row, column in model.get_all_cells():
        if model.get_cell_formula(sheet, row, column) is None:
            continue
        value = model.get_cell_value(sheet, row, column)
        if model.get_cell_type(sheet, row, column) == ironcalc.CellType.ErrorValue:
            value = f"\x00{value}"
        found[full_name(names[sheet], row, column)] = value
    return found


if __name__ == "__main__":
    try:
        json.dump(_values(sys.argv[1]), sys.stdout)
    except ImportError:
        sys.exit("IronCalc is not installed: pip install ironcalc")
    except Exception as error:
        sys.exit(f"IronCalc cannot take the workbook: {error}")
