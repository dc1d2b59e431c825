"""Every way to a function: all cases through one host, as the host itself would call it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ironcalc_values
from cases import Case
from hosted import Hosted, packed, unpacked
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula

from udfs import CellError, registry

HERE = Path(__file__).parent
#: Where CI installs npm's packages; TOKENBOOK_PYODIDE names a folder with Pyodide's whole release,
#: for machines that do not reach its server, from which npm's loads its packages.
NPM = HERE.parents[1] / ".venv" / "npm"
PYODIDE_PACKAGES = ("numpy", "scipy", "pandas")
PURE_PACKAGES = ("docstring_parser", "numpy_financial")
# What gives an error value in a cell of a workbook.
_ERRORS = {"#N/A": "=NA()", "#DIV/0!": "=1/0"}


def python(cases: Sequence[Case]) -> dict[str, Any]:
    """Call the functions from Python."""
    return {case.id: registry[case.function](*case.cells) for case in cases}


def headless(cases: Sequence[Case]) -> dict[str, Any]:
    """Recalculate a workbook whose cells call the functions on other cells."""
    from workbooks.recalc import recalculate  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.xlsx"
        places = _write(cases, path)
        recalculate(path)
        found = load_workbook(path, data_only=True).worksheets[0]
        return {name: _block(found, *place) for name, place in places.items()}


def native(cases: Sequence[Case]) -> dict[str, Any]:
    """Evaluate the functions as native LAMBDA names of such a workbook, by IronCalc."""
    from udfs.hosts.native import native_names  # noqa: PLC0415
    from workbooks.authoring.native import make_native  # noqa: PLC0415

    cases = [case for case in cases if case.function in native_names()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.xlsx"
        places = _write(cases, path)
        make_native(path, path)
        found = next(iter(ironcalc_values.values(path).values()))
    return {
        name: [[found.get((top + r, 1 + c)) for c in range(shape[1])] for r in range(shape[0])]
        if shape != (1, 1)
        else found.get((top, 1))
        for name, (top, shape) in places.items()
    }


def _write(cases: Sequence[Case], path: Path) -> dict[str, tuple[int, tuple[int, int]]]:
    """Write a workbook with a call for each case; return its first row and its shape."""
    shapes = {case.id: _shape(registry[case.function](*case.cells)) for case in cases}
    workbook = Workbook()
    sheet, inputs = workbook.active, workbook.create_sheet("Inputs")
    row = taken = 1
    places: dict[str, tuple[int, tuple[int, int]]] = {}
    for case in cases:
        arguments = []
        for cell in case.cells:
            rows = cell if isinstance(cell, list) else [[cell]]
            for r, line in enumerate(rows):
                for c, value in enumerate(line, start=1):
                    given = _ERRORS[value.code] if isinstance(value, CellError) else value
                    inputs.cell(taken + r, c, given)
            last = f"${get_column_letter(len(rows[0]))}${taken + len(rows) - 1}"
            corner = f":{last}" if isinstance(cell, list) else ""
            arguments.append(f"Inputs!$A${taken}{corner}")
            taken += len(rows)
        height, width = shapes[case.id]
        area = f"A{row}:{get_column_letter(width)}{row + height - 1}"
        formula = f"={case.function}({','.join(arguments)})"
        plain = height == width == 1
        sheet.cell(row, 1).value = formula if plain else ArrayFormula(area, formula)
        places[case.id] = row, shapes[case.id]
        row += height
    workbook.save(path)
    return places


def _shape(answer: Any) -> tuple[int, int]:
    return (len(answer), len(answer[0])) if isinstance(answer, list) else (1, 1)


def _block(sheet: Any, top: int, shape: tuple[int, int]) -> Any:
    rows = [[_value(sheet.cell(top + r, 1 + c)) for c in range(shape[1])] for r in range(shape[0])]
    return rows if shape != (1, 1) else rows[0][0]


def _value(cell: Any) -> Any:
    return CellError(cell.value) if cell.data_type == "e" else cell.value


def classic(cases: Sequence[Case]) -> dict[str, Any]:
    """Call through xlwings as Excel on Windows does, COM itself being a stub."""
    return _hosted("classic", cases)


def officejs(cases: Sequence[Case]) -> dict[str, Any]:
    """Call through xlwings as Excel by Office.js does, with its JSON."""
    return _hosted("officejs", cases)


def _hosted(kind: str, cases: Sequence[Case]) -> dict[str, Any]:
    with Hosted(kind) as host:
        return {case.id: host.call(case.function, case.cells) for case in cases}


def libreoffice(cases: Sequence[Case]) -> dict[str, Any]:
    """Call from cells of LibreOffice Calc, through the add-in."""
    from udfs.hosts.libreoffice import call_many  # noqa: PLC0415

    answers = call_many([(case.function, list(case.cells)) for case in cases])
    return {case.id: answer for case, answer in zip(cases, answers, strict=True)}


def pyodide(cases: Sequence[Case]) -> dict[str, Any]:
    """Call the functions of our wheel in Pyodide, which xlwings Lite runs in, under Node."""
    asked = [[case.id, case.function, [packed(cell) for cell in case.cells]] for case in cases]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        unpack_wheel(folder / "packages")
        for name in ("cases.py", "inside.py"):
            shutil.copy(HERE / name, folder / "packages" / name)
        shutil.copy(HERE.parent / "udfs" / "hosted.py", folder / "packages" / "hosted.py")
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        answers = folder / "answers.json"
        packages = str(folder / "packages")
        _node(",".join(PYODIDE_PACKAGES), packages, str(folder / "asked.json"), str(answers))
        found = json.loads(answers.read_text(encoding="utf-8"))
    return {name: unpacked(answer) for name, answer in found.items()}


def unpack_wheel(folder: Path) -> None:
    """Put our wheel, and the packages of pure Python that it needs, into a folder."""
    with tempfile.TemporaryDirectory() as made:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", made]
        subprocess.run([*command, str(HERE.parents[1])], check=True, capture_output=True)
        (wheel,) = Path(made).glob("tokenbook-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    for name in PURE_PACKAGES:
        (found,) = find_spec(name).submodule_search_locations
        shutil.copytree(found, folder / name)


def _node(*arguments: str) -> None:
    """Run a program in Pyodide; what Node says is the reason where it fails."""
    place = os.environ.get("TOKENBOOK_PYODIDE") or str(NPM / "node_modules" / "pyodide")
    done = subprocess.run(
        ["node", str(HERE / "pyodide.mjs"), place, *arguments],
        check=False, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])


#: Name and way of each host, as README tells them.
HOSTS: dict[str, Callable[[Sequence[Case]], dict[str, Any]]] = {
    "Python": python,
    "Headless recalculation": headless,
    "xlwings classic (COM stubbed)": classic,
    "Office.js (xlwings' own handler)": officejs,
    "LibreOffice Calc": libreoffice,
    "Native LAMBDAs (IronCalc)": native,
    "Pyodide in Node": pyodide,
}


def present(host: str) -> bool:
    """Tell whether the machine has what a host needs."""
    return not missing(host)


@cache
def missing(host: str) -> str:
    """Return what a host needs and the machine lacks, or nothing."""
    if host == "LibreOffice Calc":
        return "" if shutil.which("soffice") else "LibreOffice is not installed"
    if host != "Pyodide in Node":
        return ""
    if not shutil.which("node"):
        return "Node is not installed"
    try:
        _node("", "", "", "")
    except RuntimeError:
        return "Pyodide is not installed (npm install pyodide)"
    try:
        _node(",".join(PYODIDE_PACKAGES), "", "", "")
    except RuntimeError:
        return "its NumPy cannot be had here"
    return ""
