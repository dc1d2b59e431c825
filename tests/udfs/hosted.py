"""The functions called as a host calls them: real xlwings in a process of its own.

    with Hosted("classic") as host:
        host.call("TOK_SUBSIDY", [1.0, 2.0])

"classic" goes through xlwings' COM server (see `com_stub`) and does what the VBA wrapper does with
the answer; "officejs" goes through `custom_functions_call` with Excel's JSON. A process each,
because xlwings decides at its import what it is.

Cells are those of `udfs`: None, bool, float, str, CellError, date, and lists of rows.
"""

# ruff: noqa: PLC0415  (which xlwings is imported, and when, is what each host is about)

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

KINDS = ("classic", "officejs")
#: An argument that is left out, which a blank cell is not.
OMITTED = "omitted"


class Hosted:
    """A host in a process of its own."""

    def __init__(self, kind):
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        environment.pop("XLWINGS_ON_SERVER", None)
        if kind == "officejs":
            # The key of xlwings for noncommercial use, here for tests only.
            environment |= {"XLWINGS_ON_SERVER": "true", "XLWINGS_LICENSE_KEY": "noncommercial"}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def ask(self, **request):
        """Send one request to the process and return its answer."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return answer["result"]

    def call(self, name, cells, by="range"):
        """Call a function; `by` "value" hands arguments over as a formula's own results are."""
        return unpacked(self.ask(name=name, cells=[packed(c) for c in cells], by=by))


def packed(cell):
    """Return a cell as JSON."""
    if isinstance(cell, list | tuple):
        return [[packed(c) for c in row] for row in cell]
    if isinstance(cell, dt.date):
        return {"date": cell.isoformat()[:10]}
    if isinstance(cell, Decimal):
        return {"currency": str(cell)}
    code = getattr(cell, "code", None)
    return {"error": code} if code else cell


def unpacked(cell):
    """Return the cell that JSON stands for."""
    if isinstance(cell, list):
        return [[unpacked(c) for c in row] for row in cell]
    if not isinstance(cell, dict):
        return float(cell) if type(cell) is int else cell
    from udfs import CellError

    (kind, value), *_ = cell.items()
    return {
        "error": CellError,
        "date": dt.date.fromisoformat,
        "currency": Decimal,
        "omitted": lambda _: OMITTED,
    }[kind](value)


# --- inside the process --------------------------------------------------------------------------


def classic():
    """Return what answers a request as Excel on Windows would get it."""
    import com_stub

    xlwings = com_stub.xlwings_on_windows()
    from xlwings.com_server import XLPython

    from udfs import CellError
    from udfs.hosts import UDF_MODULE
    from udfs.hosts.excel.classic import ERROR_NUMBERS

    server = XLPython()
    caller = com_stub.Range([[None]])
    base = -2146828288  # 0x800A0000

    def com(cell):
        if isinstance(cell, CellError):
            return base + ERROR_NUMBERS[cell.code]
        return com_stub.Currency(cell) if isinstance(cell, Decimal) else cell

    def argument(cell, by):
        if cell == OMITTED:
            return com_stub.MISSING
        rows = [[com(c) for c in row] for row in cell] if isinstance(cell, list) else [[com(cell)]]
        taken = com_stub.Range(rows)
        return taken if by == "range" else taken.Value2

    def answered(value):
        # What TokenbookCells does; the test of the module holds the two together.
        if isinstance(value, list):
            rows = value if isinstance(value[0], list) else [value]
            return [[answered(c) for c in row] for row in rows]
        return CellError(value) if value in ERROR_NUMBERS else value

    def call(name, cells, by):
        arguments = [argument(cell, by) for cell in cells]
        # The wrapper hands over every argument of the function.
        count = len(xlwings.udfs.get_udf_module(UDF_MODULE, None).registry[name].parameters)
        arguments += [com_stub.MISSING] * (count - len(arguments))
        return answered(server.CallUDF(UDF_MODULE, name, tuple(arguments), None, caller))

    return call


def officejs():
    """Return what answers a request as Excel would get it by Office.js."""
    from types import ModuleType

    import com_stub
    import xlwings
    from xlwings import server

    from udfs import CellError
    from udfs.hosts.officejs.functions import ERROR_TYPES

    module = ModuleType("custom_functions")
    exec("from udfs import *", vars(module))
    codes = {kind: code for code, kind in ERROR_TYPES.items()}

    def js(cell):
        if isinstance(cell, CellError):
            kind = ERROR_TYPES[cell.code]
            return {"type": "Error", "basicValue": cell.code, "errorType": kind}
        if isinstance(cell, dt.date):
            return com_stub.serial(cell)
        if cell is None:
            return ""
        if isinstance(cell, Decimal):
            return {"type": "FormattedNumber", "basicValue": float(cell), "numberFormat": "$0.00"}
        # JSON knows no difference between 1 and 1.0: JavaScript writes the shorter.
        return int(cell) if isinstance(cell, float) and cell.is_integer() else cell

    def argument(cell):
        if cell == OMITTED:
            return None
        rows = cell if isinstance(cell, list) else [[cell]]
        return [[js(c) for c in row] for row in rows]

    def answered(cell):
        if isinstance(cell, dict):
            return CellError(codes[cell["errorType"]])
        return None if cell == "" else cell

    def call(name, cells, by):
        if name == "":
            return server.custom_functions_meta(module)
        payload = {
            "func_name": name,
            "args": [argument(cell) for cell in cells],
            "caller_address": "[Book1]Sheet1!A1",
            "culture_info_name": "en-US",
            "date_format": "m/d/yyyy",
            "version": xlwings.__version__,
            "client": "Office.js",
            "runtime": "1.1" if by == "old runtime" else "1.4",
        }
        payload = json.loads(json.dumps(payload))
        result = asyncio.run(server.custom_functions_call(payload, module))
        rows = json.loads(json.dumps(result, allow_nan=False))
        cells = [[answered(c) for c in row] for row in rows]
        return cells[0][0] if len(cells) == len(cells[0]) == 1 else cells

    return call


def serve(kind):
    """Answer requests, one a line, until there are no more."""
    call = {"classic": classic, "officejs": officejs}[kind]()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            cells = [unpacked(c) for c in request["cells"]]
            result = call(request["name"], cells, request["by"])
            answer = {"result": result if isinstance(result, dict) else packed(result)}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
