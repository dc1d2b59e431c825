"""What IronCalc makes of a workbook: every cell, computed anew in a process of its own.

`python ironcalc_values.py FILE` prints the sheets' cells as JSON; an error is {"error": code}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def values(path: Path) -> dict[str, dict[tuple[int, int], Any]]:
    """Return the values of all cells by sheet, row and column; IronCalc may abort its process."""
    from udfs import CellError  # noqa: PLC0415  (not for the process of its own)

    done = subprocess.run(
        [sys.executable, __file__, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {
        sheet: {
            (row, column): CellError(value["error"]) if isinstance(value, dict) else value
            for row, column, value in cells
        }
        for sheet, cells in json.loads(done.stdout).items()
    }


def _main(path: str) -> None:
    import ironcalc  # noqa: PLC0415  (only here)

    model = ironcalc.load_from_xlsx(path, "en", "UTC")
    model.evaluate()
    names = [sheet["name"] for sheet in model.get_worksheets_properties()]
    found: dict[str, list[Any]] = {name: [] for name in names}
    for sheet, row, column in model.get_all_cells():
        value = model.get_cell_value(sheet, row, column)
        if model.get_cell_type(sheet, row, column) == ironcalc.CellType.ErrorValue:
            value = {"error": value}
        found[names[sheet]].append((row, column, value))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main(sys.argv[1])
