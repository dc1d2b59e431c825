"""Set Excel up for classic xlwings, and take everything away again.

Two kinds of workbook need two amounts of it. A workbook made by `write_xlsm` carries its VBA and
its settings: it needs Windows, this Python, and the environment variable that names it. A workbook
of the user's own also needs the xlwings add-in, whose button *Import Functions* writes VBA into it,
which Excel must be told to trust. Nothing here was seen in Excel: the facts are from xlwings' code
and Microsoft's pages.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from udfs.hosts import UDF_MODULE
from udfs.hosts.excel import conf
from udfs.hosts.excel.machine import (
    ENVIRONMENT,
    Machine,
    Value,
    library_name,
    same_path,
    this_machine,
)
from udfs.hosts.excel.settings import SHEET, VARIABLE

SECURITY = r"Software\Microsoft\Office\16.0\Excel\Security"
TRUST = "AccessVBOM"
INTERPRETER = "INTERPRETER_WIN"
MODULES = "UDF MODULES"
_WORKBOOK_FOLDER = "ADD_WORKBOOK_TO_PYTHONPATH"

STORE = (
    "This Python is from the Microsoft Store: what it writes under AppData and into the registry, "
    "Excel does not see. Install Python from python.org and Tokenbook in an environment of that one"
)
BY_HAND_TRUST = (
    "In Excel: File > Options > Trust Center > Trust Center Settings > Macro Settings: tick "
    "'Trust access to the VBA project object model'. It lets any program that runs as you change "
    "macros; only Import Functions needs it, not the .xlsm workbooks of Tokenbook."
)
_BY_HAND_IMPORT = (
    "Restart Excel. In a workbook of your own: xlwings tab > Import Functions. A workbook ending "
    "in .xlsm from `tokenbook` needs no import."
)
_BY_HAND_MACROS = (
    "Open an .xlsm workbook and choose Enable Content. If Excel blocks its macros because it came "
    "from the internet: right-click the file > Properties > Unblock."
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was done, or what the user must still do."""

    what: str
    done: bool
    told: str


def install(machine: Machine | None = None, *, trust: bool = False) -> list[Step]:
    """Do what can be done, and tell what the user must do; elsewhere than on Windows, tell all.

    Parameters
    ----------
    machine : Machine
        Where to install; this one where left out.
    trust : bool
        Whether to let programs change macros (see the step): never without the user's word.

    Returns
    -------
    list[Step]
        In order; those not done are the user's.
    """
    machine = machine or this_machine()
    by_hand = [
        Step("functions", False, _BY_HAND_IMPORT),
        Step("macros", False, _BY_HAND_MACROS),
    ]
    if not machine.windows:
        variable = f"Set {VARIABLE} to the path of python.exe, as a variable of the user"
        addin = f"Copy {machine.shipped_addin} into %APPDATA%\\Microsoft\\Excel\\XLSTART"
        return [
            Step("Python for Excel", False, variable),
            Step("settings of your own workbooks", False, _by_sheet("the path of python.exe")),
            Step("xlwings add-in", False, addin),
            Step("trust in VBA", False, BY_HAND_TRUST),
            *by_hand,
        ]
    if machine.is_store:
        return [Step("Python", False, STORE)]
    notes = _notes(machine)
    steps = [
        _tell_python(machine),
        _place_library(machine, notes),
        _write_settings(machine, notes),
        _copy_addin(machine, notes),
        _trust(machine, notes, trust),
    ]
    if notes:
        machine.record.parent.mkdir(parents=True, exist_ok=True)
        machine.record.write_text(json.dumps(notes, indent=1), encoding="utf-8")
    return [*steps, *by_hand]


def uninstall(machine: Machine | None = None) -> list[Step]:
    """Take away what `install` has written, where it still stands as written.

    Parameters
    ----------
    machine : Machine
        Where to uninstall; this one where left out.

    Returns
    -------
    list[Step]
        What was taken away and what was left, and why.
    """
    machine = machine or this_machine()
    if not machine.windows:
        return [Step("Excel", False, "Nothing was installed: this is no Windows")]
    notes = _notes(machine)
    steps = [_forget_python(machine)]
    written = notes.get("settings", {})
    there = conf.read(machine.settings, machine.encoding)
    ours = {name: None for name, value in written.items() if there.get(name) == value}
    if ours:
        conf.write(machine.settings, machine.encoding, ours)
    told = f"Removed {', '.join(ours)} from {machine.settings}" if ours else "None was ours"
    steps.append(Step("settings of your own workbooks", bool(ours), told))
    steps.append(_remove("xlwings add-in", machine.addin, notes.get("addin")))
    if "library" in notes:
        library = notes["library"]
        steps.append(_remove("xlwings library", Path(library["path"]), library["is"]))
    if notes.get("trust") and machine.read_registry(SECURITY, TRUST) == 1:
        machine.write_registry(SECURITY, TRUST, 0)
        steps.append(Step("trust in VBA", True, "Programs may no longer change macros"))
    # What could not be removed stays noted for another try.
    if all(step.done or "left" not in step.told for step in steps):
        machine.record.unlink(missing_ok=True)
    return steps


def library_there(machine: Machine) -> Path | None:
    """Return the library that starts Python, where xlwings' VBA finds it."""
    return next((path for path in machine.libraries if path.exists()), None)


def foreign_settings(machine: Machine) -> dict[str, str]:
    """Return those of the user's settings by which another project works."""
    there = conf.read(machine.settings, machine.encoding)
    ours: dict[str, Callable[[str], bool]] = {
        INTERPRETER: lambda value: same_path(value, machine.python),
        "INTERPRETER": lambda _: False,
        MODULES: lambda value: value.rstrip(";") == UDF_MODULE,
    }
    return {name: there[name] for name in ours if there.get(name) and not ours[name](there[name])}


def by_sheet(machine: Machine) -> str:
    """Return how a workbook of the user's own is told its Python."""
    return _by_sheet(str(machine.python))


def _by_sheet(python: str) -> str:
    wanted = {INTERPRETER: python, MODULES: UDF_MODULE, _WORKBOOK_FOLDER: "false"}
    rows = "; ".join(f"{name} | {value}" for name, value in wanted.items())
    return f"In each workbook of your own add a sheet {SHEET}, columns A and B: {rows}"


def _notes(machine: Machine) -> dict[str, Any]:
    """Return what earlier installations have written."""
    if not machine.record.exists():
        return {}
    notes: dict[str, Any] = json.loads(machine.record.read_text(encoding="utf-8"))
    return notes


def _tell_python(machine: Machine) -> Step:
    """Name this Python in the user's environment."""
    what, python = "Python for Excel", str(machine.python)
    try:
        python.encode(machine.encoding)
    except UnicodeEncodeError as error:
        letters = python[error.start : error.end]
        return Step(
            what, False,
            f"{python}: Excel's VBA cannot pass {letters!r} on, which this Windows' code page "
            "lacks. Make the environment in a folder without such letters",
        )  # fmt: skip
    before: Value | None = machine.read_registry(ENVIRONMENT, VARIABLE)
    machine.write_registry(ENVIRONMENT, VARIABLE, python)
    was = f" (was {before})" if before and not same_path(str(before), python) else ""
    return Step(what, True, f"{VARIABLE} is {python}{was}. Start Excel again")


def _forget_python(machine: Machine) -> Step:
    what, named = "Python for Excel", machine.read_registry(ENVIRONMENT, VARIABLE)
    if named is None:
        return Step(what, False, f"{VARIABLE} was not set")
    machine.write_registry(ENVIRONMENT, VARIABLE, None)
    return Step(what, True, f"Removed {VARIABLE}, which was {named}")


def _place_library(machine: Machine, notes: dict[str, Any]) -> Step:
    """Put the library where xlwings' VBA looks; `pip install --user` puts it elsewhere."""
    what, there = "xlwings library", library_there(machine)
    if there:
        return Step(what, True, f"{there} is there")
    if machine.pip_library is None:
        return Step(
            what, False,
            f"{library_name()} is missing. Run: {machine.python} -m pip install "
            f"--force-reinstall --no-deps xlwings=={version('xlwings')}",
        )  # fmt: skip
    target = machine.libraries[0]
    try:
        shutil.copyfile(machine.pip_library, target)
    except OSError as error:
        return Step(
            what, False,
            f"It lies in {machine.pip_library.parent}, where Excel does not look, and cannot be "
            f"copied to {target.parent} ({error.strerror}). Install Tokenbook in a virtual "
            "environment, not with --user",
        )  # fmt: skip
    notes["library"] = {"path": str(target), "is": _fingerprint(target)}
    return Step(what, True, f"Copied to {target}: pip had put it into a folder of the user")


def _write_settings(machine: Machine, notes: dict[str, Any]) -> Step:
    """Write the user's settings where no other project has written its own."""
    what = "settings of your own workbooks"
    foreign = foreign_settings(machine)
    if foreign:
        told = ", ".join(f"{name} is {value}" for name, value in foreign.items())
        return Step(
            what, False,
            f"Left {machine.settings} as it is, another project's: {told}. {by_sheet(machine)}. "
            "A workbook ending in .xlsm from `tokenbook` has the sheet",
        )  # fmt: skip
    there = conf.read(machine.settings, machine.encoding)
    wanted = {INTERPRETER: str(machine.python), MODULES: UDF_MODULE, _WORKBOOK_FOLDER: "false"}
    missing = {name: value for name, value in wanted.items() if name not in there}
    if not missing:
        return Step(what, True, f"Stand in {machine.settings}")
    try:
        conf.write(machine.settings, machine.encoding, missing)
    except UnicodeEncodeError:
        return Step(what, False, "Not written: see the first step")
    notes["settings"] = notes.get("settings", {}) | missing
    return Step(what, True, f"Wrote {', '.join(missing)} into {machine.settings}")


def _copy_addin(machine: Machine, notes: dict[str, Any]) -> Step:
    """Put xlwings' add-in where Excel loads it at its start."""
    what, there = "xlwings add-in", machine.addin.exists()
    shipped = _fingerprint(machine.shipped_addin)
    known = {shipped, notes.get("addin")}
    if there and _fingerprint(machine.addin) not in known:
        return Step(
            what, False,
            f"Left {machine.addin} as it is: it is of another version of xlwings, perhaps another "
            "project's. Workbooks of your own need that of this version: delete it and install "
            "again",
        )  # fmt: skip
    try:
        machine.startup.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(machine.shipped_addin, machine.addin)
    except OSError as error:
        return Step(what, False, f"{machine.addin}: {error.strerror}. Close Excel and try again")
    notes["addin"] = shipped
    return Step(what, True, f"Copied to {machine.addin}. Start Excel again")


def _trust(machine: Machine, notes: dict[str, Any], trust: bool) -> Step:
    what = "trust in VBA"
    if machine.read_registry(SECURITY, TRUST) == 1:
        return Step(what, True, "Was set already")
    if not trust:
        return Step(what, False, BY_HAND_TRUST)
    machine.write_registry(SECURITY, TRUST, 1)
    notes["trust"] = True
    return Step(what, True, "Programs may now change macros, as you asked")


def _remove(what: str, path: Path, fingerprint: str | None) -> Step:
    """Remove a file that is still the one that was installed."""
    if not path.exists():
        return Step(what, False, f"{path} is not there")
    if fingerprint is None or _fingerprint(path) != fingerprint:
        return Step(what, False, f"Kept {path}: it is not the one that was installed")
    try:
        path.unlink()
    except OSError as error:
        return Step(what, False, f"{path} is left: {error.strerror}. Close Excel and try again")
    return Step(what, True, f"Removed {path}")


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
