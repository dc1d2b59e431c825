"""The VBA run: LibreOffice's Basic, which speaks VBA, stands in for Excel's.

It compiles both modules whole, and runs what turns the texts of errors into error values. What it
cannot show is COM and Excel itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from xml.sax.saxutils import escape

import pytest

from udfs import registry
from udfs.hosts.excel import vba
from udfs.hosts.excel.classic import ERROR_NUMBERS

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed"),
]

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE {0} PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "{1}.dtd">\n'
)
_MODULE = _DOCTYPE.format("script:module", "module") + (
    '<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" '
    'script:language="StarBasic">{0}</script:module>'
)
_LIBRARY = _DOCTYPE.format("library:library", "library") + (
    '<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" '
    'library:readonly="false" library:passwordprotected="false">'
    '<library:element library:name="Module1"/></library:library>'
)
_LIBRARIES = _DOCTYPE.format("library:libraries", "libraries") + (
    '<library:libraries xmlns:library="http://openoffice.org/2000/library" '
    'xmlns:xlink="http://www.w3.org/1999/xlink"><library:library library:name="Standard" '
    'xlink:href="$(USER)/basic/Standard/script.xlb/" xlink:type="simple" library:link="false"/>'
    "</library:libraries>"
)
_MAIN = """\
Option VBASupport 1
Sub Main()
    Dim f As Integer, i As Long, j As Long, answer As Variant
    Dim grid(0 To 1, 0 To 1) As Variant, flat(0 To 2) As Variant
    f = FreeFile
    Open "{0}" For Output As #f
{1}    Close #f
End Sub
Function Shown(ByVal v As Variant) As String
    Shown = CStr(v)
    If Not IsError(v) Then Shown = TypeName(v) & " " & Shown
End Function
"""


def run(folder, statements, module):
    """Run statements of VBA beside a module, in a profile of their own; return what they print."""
    printed = folder / "printed.txt"
    standard = folder / "profile" / "user" / "basic" / "Standard"
    source = _MAIN.format(printed, statements) + module.partition("\n")[2]
    command = [
        "soffice",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "macro:///Standard.Module1.Main",
    ]
    for _ in range(3):
        # The first start makes the profile, over anything that is there, and runs nothing.
        standard.mkdir(parents=True, exist_ok=True)
        (standard / "Module1.xba").write_text(_MODULE.replace("{0}", escape(source)))
        (standard / "script.xlb").write_text(_LIBRARY)
        (standard.parent / "script.xlc").write_text(_LIBRARIES)
        # Basic that does not compile makes the program wait for ever, so all its processes end.
        program = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            program.wait(90)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        if printed.exists():
            break
    return printed.read_text().splitlines()


def test_texts_of_errors_become_error_values(tmp_path):
    codes = "".join(f'Print #f, Shown(TokenbookCells("{code}"))\n' for code in ERROR_NUMBERS)
    printed = run(
        tmp_path,
        codes
        + """
        Print #f, Shown(TokenbookCells("below cost"))
        Print #f, Shown(TokenbookCells(1.5))
        Print #f, Shown(TokenbookCells(True))
        grid(0, 0) = 1.5: grid(0, 1) = "#VALUE!": grid(1, 0) = "#DIV/0!": grid(1, 1) = "x"
        answer = TokenbookCells(grid)
        For i = 0 To 1
            For j = 0 To 1
                Print #f, Shown(answer(i, j))
            Next j
        Next i
        flat(0) = "#REF!": flat(1) = 2.5: flat(2) = "y"
        answer = TokenbookCells(flat)
        For i = 0 To 2
            Print #f, Shown(answer(i))
        Next i
        """,
        vba.wrapper_module(registry),
    )
    count = len(ERROR_NUMBERS)
    assert printed[:count] == [f"Error {number}" for number in ERROR_NUMBERS.values()]
    assert printed[count : count + 3] == ["String below cost", "Double 1.5", "Boolean True"]
    assert printed[count + 3 : count + 7] == ["Double 1.5", "Error 2015", "Error 2007", "String x"]
    assert printed[count + 7 :] == ["Error 2023", "Double 2.5", "String y"]


def test_the_help_module_compiles(tmp_path):
    # Basic knows no Option Private Module.
    source = vba.help_module(registry).replace("Option Private Module\n", "")
    assert run(tmp_path, 'Print #f, "compiled"\n', source) == ["compiled"]
