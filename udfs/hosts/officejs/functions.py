"""Excel by Office.js, through xlwings Server and xlwings Lite: how cells pass, and the functions.

A cell comes as JSON: a number, a text, a boolean, "" where it is empty, null where an argument was
left out, and an object for what is richer, such as an error. An error goes back as such an object,
from custom functions runtime 1.4 on; before it, Excel knows only text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from udfs.cells import CellError
from udfs.declare import Function
from udfs.hosts.decorated import Cells
from udfs.hosts.decorated import decorated as _decorated

#: Excel's ErrorCellValueType for each error value.
ERROR_TYPES = {
    "#NULL!": "Null",
    "#DIV/0!": "Div0",
    "#VALUE!": "Value",
    "#REF!": "Ref",
    "#NAME?": "Name",
    "#NUM!": "Num",
    "#N/A": "NotAvailable",
    "#GETTING_DATA": "GettingData",
    "#SPILL!": "Spill",
    "#CALC!": "Calc",
    "#BLOCKED!": "Blocked",
    "#FIELD!": "Field",
    "#CONNECT!": "Connect",
    "#BUSY!": "Busy",
}
#: What answers from a file that a refresh renews: an answer that Excel kept would be an old one.
CHANGING = frozenset({"TOK_MARKET_PRICE", "TOK_GPU_PRICE"})
_CODES = {kind: code for code, kind in ERROR_TYPES.items()}


class JsonCells(Cells):
    """Cells as Office.js passes them."""

    # A text is looked at: "" is how an empty cell arrives, and how a formula's empty text does.
    plain = frozenset((float, bool, NoneType))

    @classmethod
    def read(cls, cell: Any) -> Any:
        """Return the cell for a value that is not plain: a whole number, an error, a rich value."""
        if isinstance(cell, str):
            return cell or None
        if isinstance(cell, int):
            return float(cell)
        if isinstance(cell, dict):
            if cell.get("type") != "Error":
                # A formatted number, say, holds what it shows as its basic value.
                return cell.get("basicValue")
            code = cell.get("basicValue")
            if code not in ERROR_TYPES:
                code = _CODES.get(cell.get("errorType", ""), "#VALUE!")
            return CellError(code)
        # Pyodide's stand-in for null, the only other thing that comes.
        return None

    @classmethod
    def written(cls, error: CellError, options: Mapping[str, Any]) -> Any:
        """Return the error as Excel's runtime takes it."""
        if float(options["runtime"]) < 1.4:
            return error.code
        return {"type": "Error", "errorType": ERROR_TYPES[error.code]}


def decorated(registry: Mapping[str, Function]) -> dict[str, Callable[..., Any]]:
    """Return the functions under the decorators of xlwings Server and Lite."""
    from xlwings import server  # noqa: PLC0415  (under another licence than the rest of xlwings)

    def options(function: Function) -> dict[str, Any]:
        # Excel asks again at each opening and each full recalculation; the add-in then answers
        # from what it keeps, without the server.
        return {"cache": function.name not in CHANGING}

    return _decorated(registry, server, JsonCells, options=options)
