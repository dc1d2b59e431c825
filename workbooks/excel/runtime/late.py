"""The replaced functions as the calculator is given them: loaded when the first is called.

They are many modules, of which a small workbook often needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from workbooks.calc.protocol import FAILURES, FIT, FORMATTED, LIFT, SPILL, SURE, CellFunction
from workbooks.formula.functions import catalogue

#: Listed beside the replaced functions, but answered elsewhere.
_ELSEWHERE = frozenset([FAILURES, FIT, FORMATTED, LIFT, SPILL, SURE])


def late_functions(*, date1904: bool = False, mac: bool = False) -> dict[str, CellFunction]:
    """Return what `registry.functions` returns, to be loaded with the first call."""

    @cache
    def loaded() -> Mapping[str, CellFunction]:
        from workbooks.excel.runtime.registry import functions  # noqa: PLC0415

        return functions(date1904=date1904, mac=mac)

    def late(name: str) -> CellFunction:
        function: CellFunction | None = None

        def answer(*cells: Any) -> Any:
            nonlocal function
            if function is None:
                function = loaded()[name]
            return function(*cells)

        return answer

    rows = catalogue().values()
    return {
        row.name: late(row.name)
        for row in rows
        if row.handled == "runtime" and row.name not in _ELSEWHERE
    }
