"""What a machine has of what Excel with classic xlwings needs, and how to mend the rest."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import version

from udfs.hosts.excel.install import (
    BY_HAND_TRUST,
    SECURITY,
    STORE,
    TRUST,
    by_sheet,
    foreign_settings,
    library_there,
)
from udfs.hosts.excel.machine import ENVIRONMENT, Machine, library_name, same_path, this_machine
from udfs.hosts.excel.settings import VARIABLE

_MACROS = "VBAWarnings"
_STARTED = "tokenbook starts"
_TRY = f"import pythoncom, xlwings, udfs; udfs.TOK_SUBSIDY(1, 3); print('{_STARTED}')"
_CONDA = (
    "NumPy of conda finds its libraries in an activated environment alone, which Excel does not "
    "have. Run: {0} -m pip install --force-reinstall numpy scipy pandas pywin32 (pip's bring their "
    "own), or install Tokenbook in an environment of a Python from python.org"
)
_INSTALL = "Run: tokenbook excel install"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing, whether it is so, and how to mend it; None: only your own workbooks need it."""

    what: str
    ok: bool | None
    found: str
    remedy: str = ""


def status(machine: Machine | None = None) -> list[Check]:
    """Return what Excel with classic xlwings needs, and whether it is there.

    Parameters
    ----------
    machine : Machine
        Where to look; this one where left out.

    Returns
    -------
    list[Check]
        In the order in which to mend them.
    """
    machine = machine or this_machine()
    windows = Check(
        "Windows",
        machine.windows,
        "Windows" if machine.windows else f"{sys.platform}: classic xlwings has no functions here",
        "Use xlwings Lite or Server (Excel on Mac and the web), LibreOffice, or `tokenbook recalc`",
    )
    if not machine.windows:
        return [windows]
    if machine.is_store:
        return [windows, Check("Python", False, str(machine.python), STORE)]
    return [windows, *_python_checks(machine), *_excel_checks(machine)]


def _python_checks(machine: Machine) -> list[Check]:
    library = library_there(machine)
    named = machine.read_registry(ENVIRONMENT, VARIABLE)
    kind = "of conda" if machine.is_conda else "of an environment or an installation"
    said = machine.run([str(machine.python), "-P", "-B", "-c", _TRY]).strip()
    starts = _STARTED in said
    remedy = f'Run: {machine.python} -c "{_TRY.partition(";")[0]}" to see why'
    return [
        Check("Python", True, f"{machine.python} ({kind})"),
        Check(
            "pywin32",
            machine.has_pywin32,
            "installed" if machine.has_pywin32 else "missing",
            f"Run: {machine.python} -m pip install pywin32",
        ),
        Check(
            "xlwings library",
            library is not None,
            str(library or f"{library_name()} is not beside Python, where Excel looks"),
            # The VBA in a workbook asks for this file by its version.
            f"{_INSTALL} (or {machine.python} -m pip install --force-reinstall --no-deps "
            f"xlwings=={version('xlwings')})",
        ),
        Check(
            "Python starts as from Excel",
            starts,
            "it does" if starts else (said.splitlines() or ["it says nothing"])[-1],
            _CONDA.format(machine.python) if machine.is_conda else remedy,
        ),
        Check(
            "Python for Excel",
            named is not None and same_path(str(named), machine.python),
            f"{VARIABLE} is {named or 'not set'}",
            _INSTALL,
        ),
    ]


def _excel_checks(machine: Machine) -> list[Check]:
    there = machine.addin.exists()
    current = there and machine.addin.read_bytes() == machine.shipped_addin.read_bytes()
    other = "of another version of xlwings, or changed" if there else "not there"
    trusted = machine.read_registry(SECURITY, TRUST) == 1
    macros = machine.read_registry(SECURITY, _MACROS)
    told = {1: "all run", 3: "only signed ones run", 4: "none runs, and Excel does not ask"}
    foreign = foreign_settings(machine)
    return [
        Check(
            "macros",
            macros not in (3, 4),
            told.get(macros if isinstance(macros, int) else 2, "Excel asks"),
            "In Excel: File > Options > Trust Center > Trust Center Settings > Macro Settings: "
            "'Disable VBA macros with notification'",
        ),
        Check(
            "xlwings settings",
            None if foreign or not machine.settings.exists() else True,
            f"{machine.settings}: "
            + (
                ", ".join(f"{name} is {value}" for name, value in foreign.items())
                or ("ours" if machine.settings.exists() else "not there")
            ),
            by_sheet(machine) if foreign else _INSTALL,
        ),
        Check(
            "xlwings add-in",
            True if current else None,
            f"{machine.addin}: {'there' if current else other}",
            _INSTALL,
        ),
        Check(
            "trust in VBA",
            True if trusted else None,
            "programs may change macros" if trusted else "programs may not change macros",
            BY_HAND_TRUST,
        ),
    ]
