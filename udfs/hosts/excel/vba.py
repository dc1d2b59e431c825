"""The VBA through which Excel calls Python: xlwings' own wrapper, with real error values.

xlwings writes a VBA function for each Python function. It hands an error over as a text, which
SUM ignores and IFERROR does not see. Here every result passes through `TokenbookCells`, which makes
error values of such texts, and a call that fails is #VALUE!. A second module gives Excel's function
wizard its texts, which otherwise only an import through the xlwings add-in would do.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from types import ModuleType, SimpleNamespace
from typing import Any

from engine import __version__
from engine.errors import TokenbookError
from udfs.declare import LONGEST_HELP, Function
from udfs.hosts import UDF_MODULE
from udfs.hosts.decorated import CATEGORY
from udfs.hosts.excel import classic
from udfs.hosts.excel.settings import VARIABLE

#: The name that xlwings gives its module: an import through its add-in replaces ours, where two
#: modules with the same functions would be ambiguous to VBA.
MODULE = "xlwings_udfs"
HELP_MODULE = "TokenbookHelp"
#: Runs when the workbook opens.
THIS_WORKBOOK = f"""\
Private Sub Workbook_Open()
    TokenbookDescribe
    If Environ$("{VARIABLE}") = "" Then _
        Application.StatusBar = "Tokenbook: run 'tokenbook excel install', then start Excel again"
End Sub
"""

_CELLS = """
Private Function TokenbookCells(ByVal answer As Variant) As Variant
    'Python can only hand over the text of an error: here it becomes the error value.
    Dim r As Long, c As Long
    If Not IsArray(answer) Then
        TokenbookCells = TokenbookCell(answer)
        Exit Function
    End If
    If TokenbookDimensions(answer) = 1 Then
        For c = LBound(answer) To UBound(answer)
            answer(c) = TokenbookCell(answer(c))
        Next c
    Else
        For r = LBound(answer, 1) To UBound(answer, 1)
            For c = LBound(answer, 2) To UBound(answer, 2)
                answer(r, c) = TokenbookCell(answer(r, c))
            Next c
        Next r
    End If
    TokenbookCells = answer
End Function

Private Function TokenbookDimensions(ByRef answer As Variant) As Long
    Dim last As Long
    On Error GoTo one
    last = UBound(answer, 2)
    TokenbookDimensions = 2
    Exit Function
one:
    TokenbookDimensions = 1
End Function

Private Function TokenbookCell(ByVal cell As Variant) As Variant
    TokenbookCell = cell
    If VarType(cell) <> vbString Then Exit Function
    Select Case cell
%s    End Select
End Function
"""

_DESCRIBE = """
Public Sub TokenbookDescribe()
    'Help texts are lost when Excel closes, so they are set again at each opening.
    Dim wasSaved As Boolean, reason As String
    wasSaved = ThisWorkbook.Saved
    On Error GoTo failed
%s    ThisWorkbook.Saved = wasSaved
    Exit Sub
failed:
    reason = Err.Description
    ThisWorkbook.Saved = wasSaved
    Application.StatusBar = "Tokenbook has no help in the function wizard: " & reason
End Sub

Private Sub Describe(ByVal macroName As String, ByVal summary As String, texts() As String)
    Application.MacroOptions _
        Macro:="'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & macroName, _
        Description:=summary, Category:="%s", ArgumentDescriptions:=texts
End Sub
"""


def wrapper_module(registry: Mapping[str, Function]) -> str:
    """Return the source of the VBA module in which Excel finds the functions.

    Raises
    ------
    TokenbookError
        Where the installed xlwings writes something else than this was made for.
    """
    generated = _generated(registry)
    answered = re.compile(r"^( +)(TOK_\w+) = (XLPy\.CallUDF\(.*\))$", re.MULTILINE)
    failed = re.compile(r"^( +)(TOK_\w+) = Err\.Description$", re.MULTILINE)
    source, answers = answered.subn(r"\1\2 = TokenbookCells(\3)", generated)
    source, failures = failed.subn(
        r'\1Debug.Print "\2: " & Err.Description\n\1\2 = CVErr(xlErrValue)', source
    )
    # For each function one call in Excel, one for other Office programs, and one way to fail.
    if (answers, failures) != (2 * len(registry), len(registry)):
        raise TokenbookError(
            f"xlwings {version('xlwings')} writes VBA that this version of Tokenbook does not know"
        )
    cases = "".join(
        f'        Case "{code}": TokenbookCell = CVErr({number})\n'
        for code, number in classic.ERROR_NUMBERS.items()
    )
    return (
        f'Attribute VB_Name = "{MODULE}"\n'
        f"'Tokenbook {__version__} on xlwings {version('xlwings')}. Made by a program:\n"
        "'changes will be lost. Importing functions by the xlwings add-in replaces this module;\n"
        "'errors then arrive as text.\n"
        '#Const App = "Microsoft Excel"\n'
        f"{_CELLS % cases}\n{source.rstrip()}\n"
    )


def help_module(registry: Mapping[str, Function]) -> str:
    """Return the source of the VBA module that gives the function wizard its texts."""
    # One procedure a function: VBA refuses a procedure of more than 64 KB.
    calls = "".join(f"    Describe_{name}\n" for name in registry)
    parts = [
        f'Attribute VB_Name = "{HELP_MODULE}"\n',
        "'Keeps these procedures out of the list of macros.\n",
        "Option Private Module\n",
        _DESCRIBE % (calls, CATEGORY),
    ]
    for name, function in registry.items():
        texts = [argument.text[:LONGEST_HELP] for argument in function.arguments]
        lines = [f"    texts({i}) = {literal(text)}\n" for i, text in enumerate(texts)]
        parts.append(
            f"\nPrivate Sub Describe_{name}()\n"
            f"    Dim texts(0 To {len(texts) - 1}) As String\n"
            f"{''.join(lines)}"
            f'    Describe "{name}", {literal(function.summary[:LONGEST_HELP])}, texts\n'
            "End Sub\n"
        )
    return "".join(parts)


def literal(text: str) -> str:
    r"""Return a text as a VBA expression that does not depend on the machine's code page.

    >>> print(literal('a "b" ≤ c'))
    "a ""b"" " & ChrW(8804) & " c"
    """
    parts = [
        f"ChrW({ord(part)})" if len(part) == 1 and ord(part) > 126 else f'"{part}"'
        for part in re.findall(r"[ -~]+|[^ -~]", text.replace('"', '""'))
    ]
    return " & ".join(parts) or '""'


def _generated(registry: Mapping[str, Function]) -> str:
    """Return what xlwings' own generator writes for the functions."""
    udfs = _xlwings_udfs()
    module = SimpleNamespace(**classic.decorated(registry, udfs))
    written = io.StringIO()
    # It asks the workbook for no more than whether it is an add-in.
    workbook = SimpleNamespace(Name="book.xlsm")
    generate: Callable[..., Any] = udfs.generate_vba_wrapper
    generate(UDF_MODULE, module, written, workbook)
    return written.getvalue()


def _xlwings_udfs() -> ModuleType:
    """Return xlwings.udfs; where there is no pywin32, with empty stand-ins for it.

    Decorating and generating never call pywin32, but importing the module does import it.
    """
    try:
        return import_module("xlwings.udfs")
    except ModuleNotFoundError as error:
        if error.name != "pythoncom":
            raise
    xlwings = import_module("xlwings")
    stand_ins = {
        name: ModuleType(name)
        for name in ("pythoncom", "pywintypes", "win32com", "win32com.client")
    }
    stand_ins["pythoncom"].CoInitialize = None  # type: ignore[attr-defined]
    stand_ins["win32com.client"].Dispatch = None  # type: ignore[attr-defined]
    sys.modules.update(stand_ins)
    try:
        return import_module("xlwings.udfs")
    finally:
        # Nothing else may take the stand-ins for the real thing.
        for name in (*stand_ins, "xlwings.udfs"):
            sys.modules.pop(name, None)
        vars(xlwings).pop("udfs", None)
