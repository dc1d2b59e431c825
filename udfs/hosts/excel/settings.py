"""xlwings' settings for a workbook of ours: on a sheet of its own, apart from other projects'.

xlwings looks for each setting on the sheet `xlwings.conf` of the workbook first, then in a file
beside it, then in the user's file. A workbook that has the sheet needs nothing of the user's file
and changes nothing in it. Which Python it starts is told by an environment variable of our own.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from udfs.hosts import UDF_MODULE

#: The environment variable that names the Python with Tokenbook in it.
VARIABLE = "TOKENBOOK_PYTHON"
#: Where xlwings' VBA looks first.
SHEET = "xlwings.conf"
#: Every setting that another project's file could otherwise decide.
IN_WORKBOOK = {
    "INTERPRETER_WIN": f"%{VARIABLE}%",
    "UDF MODULES": UDF_MODULE,
    # Otherwise a udfs.py or numpy.py beside the workbook is run in the place of ours, and the
    # https path of a workbook in OneDrive or SharePoint stops Python at its start.
    "ADD_WORKBOOK_TO_PYTHONPATH": "false",
    # An empty setting puts Excel's current folder before all packages; a file holds no modules.
    "PYTHONPATH": f"%{VARIABLE}%",
    "CONDA PATH": "",
    "CONDA ENV": "",
    "DEBUG UDFS": "False",
}


def sheet() -> bytes:
    """Return the sheet as a part of a workbook."""
    rows = "".join(
        f'<row r="{row}">{_cell(f"A{row}", name)}{_cell(f"B{row}", value)}</row>'
        for row, (name, value) in enumerate(IN_WORKBOOK.items(), start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


def _cell(address: str, text: str) -> str:
    # A cell that is left out reads as empty.
    return f'<c r="{address}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' if text else ""
