"""The bridge to a LibreOffice of our own; LibreOffice's Python runs this file as a script.

It starts LibreOffice with the profile it is told, and answers one JSON request a line on its
standard input with JSON lines on its standard output: `{"progress": [done, total]}` any number of
times, then `{"result": …}` or `{"refused": "why"}`. Nothing of Tokenbook is imported here, so that
it runs in any LibreOffice's Python.

Usage: bridge.py PATH_OF_SOFFICE ADDRESS_OF_PROFILE
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# A new profile's first start ends with this code and wants to be started again.
_START_AGAIN = 81
_START_SECONDS = 90
_QUIT_SECONDS = 15
_FORMULA_CELLS = 16
_ERROR_RESULTS = 4
#: Numbers, dates, texts and formulas.
_CONTENTS = 1 | 2 | 4 | 16
_CELLS_AT_ONCE = 20_000
_SPARSE = 10
_FORMULAS_BETWEEN_REPORTS = 100


class RefusalError(Exception):
    """A request that LibreOffice does not carry out; the message says why."""


class Bridge:
    """A running LibreOffice and what is asked of it."""

    def __init__(self, soffice: str, profile: str) -> None:
        import uno  # noqa: PLC0415  (only LibreOffice's own Python has it)

        self.uno = uno
        pipe = f"tokenbook{uuid.uuid4().hex}"
        command = [
            soffice,
            "--headless",
            "--invisible",
            "--norestore",
            "--nologo",
            "--nodefault",
            "--nolockcheck",
            f"-env:UserInstallation={profile}",
            f"--accept=pipe,name={pipe};urp;StarOffice.ComponentContext",
        ]
        self.process = self._started(command)
        self.context = self._connected(command, pipe)
        self.desktop = self._service("com.sun.star.frame.Desktop")

    @staticmethod
    def _started(command: list[str]) -> subprocess.Popen[bytes]:
        # Its output must not mix with the answers.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def _connected(self, command: list[str], pipe: str) -> Any:
        no_connection = self.uno.getClass("com.sun.star.connection.NoConnectException")
        local = self.uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", local
        )
        deadline = time.monotonic() + _START_SECONDS
        restarts = 0
        while True:
            try:
                return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            except no_connection:
                code = self.process.poll()
            if code == _START_AGAIN and restarts < 3:
                restarts += 1
                self.process = self._started(command)
            elif code is not None:
                raise RefusalError(f"LibreOffice ended at its start with exit code {code}")
            elif time.monotonic() > deadline:
                raise RefusalError(f"LibreOffice did not start within {_START_SECONDS} seconds")
            time.sleep(0.05)

    def _service(self, name: str) -> Any:
        return self.context.ServiceManager.createInstanceWithContext(name, self.context)

    def _property(self, name: str, value: Any) -> Any:
        prop = self.uno.createUnoStruct("com.sun.star.beans.PropertyValue")
        prop.Name, prop.Value = name, value
        return prop

    # --- requests ----------------------------------------------------------------------------

    def version(self) -> str:
        """Return LibreOffice's version."""
        access = self._service("com.sun.star.configuration.ConfigurationProvider")
        node = access.createInstanceWithArguments(
            "com.sun.star.configuration.ConfigurationAccess",
            (self._property("nodepath", "/org.openoffice.Setup/Product"),),
        )
        return str(node.getByName("ooSetupVersionAboutBox"))

    def add(self, extension: str) -> str:
        """Register an extension for this profile, in the place of an earlier one."""
        # The reason why it refuses, a parse error of the IDL say, stands in its own output alone.
        added = self._manager().addExtension(extension, (), "user", None, self._consent())
        if added is None:
            raise RefusalError("LibreOffice did not take the extension")
        return str(added.getIdentifier().Value)

    def remove(self, identifier: str, file_name: str) -> bool:
        """Remove an extension from this profile; tell whether it was there."""
        there = self.installed(identifier)
        if there:
            self._manager().removeExtension(identifier, file_name, "user", None, self._consent())
        return there

    def installed(self, identifier: str) -> bool:
        """Tell whether an extension is registered for this profile."""
        extensions = self._manager().getDeployedExtensions("user", None, self._consent())
        return any(extension.getIdentifier().Value == identifier for extension in extensions)

    def described(self, prefix: str) -> list[dict[str, Any]]:
        """Return what the function wizard shows of the functions whose names start so."""
        functions = self._service("com.sun.star.sheet.FunctionDescriptions")
        shown = []
        for place in range(functions.getCount()):
            about = {prop.Name: prop.Value for prop in functions.getByIndex(place)}
            if about["Name"].startswith(prefix):
                arguments = [[a.Name, a.Description, a.IsOptional] for a in about["Arguments"]]
                shown.append(
                    {
                        "name": about["Name"],
                        "description": about["Description"],
                        "arguments": arguments,
                    }
                )
        return shown

    def evaluate(self, cells: list[list[Any]], formulas: list[list[str]]) -> list[list[list[Any]]]:
        """Put cells into a scratch sheet and return what formulas beside them give.

        `cells` are rows of equal length; a cell `{"formula": "=NA()"}` is entered as such. Of each
        formula there are three: of its rows, its columns, itself.
        """
        document = self.desktop.loadComponentFromURL(
            "private:factory/scalc", "_blank", 0, (self._property("Hidden", True),)
        )
        try:
            sheets = document.getSheets()
            for place, name in enumerate(("Cells", "Sizes", "Results")):
                sheets.insertNewByName(name, place)
            if cells:
                _fill(sheets.getByName("Cells"), cells)
            sizes = sheets.getByName("Sizes").getCellRangeByPosition(0, 0, 1, len(formulas) - 1)
            sizes.setFormulaArray(tuple((rows, columns) for rows, columns, _ in formulas))
            # An error has no rows to count: it is one cell.
            shapes = [[int(n or 1) for n in size] for size in sizes.getDataArray()]
            return self._results(sheets.getByName("Results"), shapes, [f[2] for f in formulas])
        finally:
            document.close(True)

    @staticmethod
    def _results(sheet: Any, shapes: list[list[int]], formulas: list[str]) -> list[list[list[Any]]]:
        top = 0
        for done, (shape, formula) in enumerate(zip(shapes, formulas, strict=True)):
            area = sheet.getCellRangeByPosition(0, top, shape[1] - 1, top + shape[0] - 1)
            area.setArrayFormula(formula)
            top += shape[0]
            if not done % _FORMULAS_BETWEEN_REPORTS:
                report(done, len(formulas))
        widest = max(columns for _, columns in shapes)
        whole = _values(sheet, sheet.getCellRangeByPosition(0, 0, widest - 1, top - 1))
        results, top = [], 0
        for rows, columns in shapes:
            results.append([row[:columns] for row in whole[top : top + rows]])
            top += rows
        return results

    def recalculate(self, path: str) -> list[dict[str, Any]]:
        """Recalculate every cell of a workbook, and return its formula cells, sheet by sheet."""
        document = self._opened(path)
        try:
            # Calc's hard recalculation: no cached value survives it.
            document.calculateAll()
            return _formulas(document)
        finally:
            document.close(True)

    def edit(self, path: str, cells: list[list[Any]]) -> list[dict[str, Any]]:
        """Open a workbook as a user does, enter values, and return its formula cells.

        `cells` are sheet, row, column (from 0) and value, None for a blank. Calc recalculates by
        itself what hangs on them. The file is not written.
        """
        document = self._opened(path, ReadOnly=False)
        try:
            for name, row, column, value in cells:
                sheet = document.getSheets().getByName(name)
                # A protected cell would stay as it is, without a word.
                sheet.unprotect("")
                cell = sheet.getCellByPosition(column, row)
                if value is None:
                    # An empty text would leave the cell as it is.
                    cell.clearContents(_CONTENTS)
                elif isinstance(value, str):
                    cell.setString(value)
                else:
                    cell.setValue(value)
            return _formulas(document)
        finally:
            document.close(True)

    def convert(self, path: str, target: str, file_filter: str) -> None:
        """Recalculate a workbook and write it in another format."""
        document = self._opened(path)
        try:
            document.calculateAll()
            document.storeToURL(target, (self._property("FilterName", file_filter),))
        finally:
            document.close(True)

    def _opened(self, path: str, **others: Any) -> Any:
        options = {
            "Hidden": True,
            "ReadOnly": True,
            # Neither macros nor links to other files: a calculation and nothing else.
            "MacroExecutionMode": 0,
            "UpdateDocMode": 0,
            **others,
        }
        document = self.desktop.loadComponentFromURL(
            path, "_blank", 0, tuple(self._property(*option) for option in options.items())
        )
        if document is None or not document.supportsService(
            "com.sun.star.sheet.SpreadsheetDocument"
        ):
            raise RefusalError("LibreOffice does not open the file as a workbook")
        return document

    def _manager(self) -> Any:
        return self.context.getByName("/singletons/com.sun.star.deployment.ExtensionManager")

    def _consent(self) -> Any:
        """Return what approves all that the extension manager asks."""
        import unohelper  # noqa: PLC0415

        approve = self.uno.getTypeByName("com.sun.star.task.XInteractionApprove")

        def handle(_self: Any, request: Any) -> None:
            for continuation in request.getContinuations():
                if continuation.queryInterface(approve):
                    continuation.select()
                    return

        interfaces = (
            "com.sun.star.ucb.XCommandEnvironment",
            "com.sun.star.task.XInteractionHandler",
        )
        bases = (unohelper.Base, *map(self.uno.getClass, interfaces))
        methods = {
            "getInteractionHandler": lambda me: me,
            "getProgressHandler": lambda _self: None,
            "handle": handle,
        }
        return type("Consent", bases, methods)()

    def quit(self) -> None:
        """End LibreOffice, gently if it lets itself be ended so."""
        disposed = self.uno.getClass("com.sun.star.lang.DisposedException")
        # Where it is quick, the connection goes before the answer comes.
        with suppress(disposed):
            self.desktop.terminate()
        try:
            self.process.wait(_QUIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _fill(sheet: Any, cells: list[list[Any]]) -> None:
    area = sheet.getCellRangeByPosition(0, 0, len(cells[0]) - 1, len(cells) - 1)
    # Calc leaves a cell empty for an empty text.
    area.setDataArray(
        tuple(tuple(c if isinstance(c, float | str) else "" for c in row) for row in cells)
    )
    for r, row in enumerate(cells):
        for c, cell in enumerate(row):
            if isinstance(cell, dict):
                area.getCellByPosition(c, r).setFormula(cell["formula"])


def _formulas(document: Any) -> list[dict[str, Any]]:
    """Return the values of all formula cells, sheet by sheet."""
    return [
        {"sheet": sheet.getName(), "areas": _formula_areas(sheet)} for sheet in document.getSheets()
    ]


def _formula_areas(sheet: Any) -> list[list[Any]]:
    """Return the areas that hold formulas, each as its first row, first column, and values."""
    found = sheet.queryContentCells(_FORMULA_CELLS).getRangeAddresses()
    places = [(a.StartRow, a.StartColumn, a.EndRow, a.EndColumn) for a in found]
    if not places:
        return []
    tops, lefts, bottoms, rights = zip(*places, strict=True)
    around = (min(tops), min(lefts), max(bottoms), max(rights))
    # One question for all is faster than one for each, unless most of the answer is not wanted.
    if _size(around) <= _SPARSE * sum(map(_size, places)):
        places = [around]
    areas = []
    read, told, total = 0, 0, sum(map(_size, places))
    for top, left, bottom, right in places:
        step = max(1, _CELLS_AT_ONCE // (right - left + 1))
        for start in range(top, bottom + 1, step):
            end = min(start + step - 1, bottom)
            area = sheet.getCellRangeByPosition(left, start, right, end)
            areas.append([start, left, _values(sheet, area)])
            read += _size((start, left, end, right))
            if read - told >= _CELLS_AT_ONCE or read == total:
                told = read
                report(read, total)
    return areas


def _size(place: tuple[int, int, int, int]) -> int:
    top, left, bottom, right = place
    return (bottom - top + 1) * (right - left + 1)


def _values(sheet: Any, area: Any) -> list[list[Any]]:
    """Return the values of an area, `{"error": Calc's number}` where there is an error."""
    rows = [list(row) for row in area.getDataArray()]
    start = area.getRangeAddress()
    for a in area.queryFormulaCells(_ERROR_RESULTS).getRangeAddresses():
        for row in range(a.StartRow, a.EndRow + 1):
            for column in range(a.StartColumn, a.EndColumn + 1):
                number = sheet.getCellByPosition(column, row).getError()
                rows[row - start.StartRow][column - start.StartColumn] = {"error": number}
    return rows


def report(done: int, total: int) -> None:
    """Tell the other side how far the request has come."""
    answer(progress=[done, total])


def answer(**what: Any) -> None:
    """Write one line of an answer."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(soffice: str, profile: str) -> None:
    """Answer requests until the input ends or `quit` is asked for."""
    try:
        bridge = Bridge(soffice, profile)
    except RefusalError as refusal:
        answer(refused=str(refusal))
        return
    answer(result=None)
    failed: tuple[type[BaseException], ...] = (
        RefusalError,
        bridge.uno.getClass("com.sun.star.uno.Exception"),
        bridge.uno.getClass("com.sun.star.uno.RuntimeException"),
    )
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("request")
        if name == "quit":
            break
        wanted: Callable[..., Any] = getattr(bridge, name)
        try:
            answer(result=wanted(**request))
        except failed as refusal:
            answer(refused=str(refusal) or type(refusal).__name__)
    bridge.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
