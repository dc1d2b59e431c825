"""What a machine needs for Excel with classic xlwings: what is missing, and how to mend it.

Two ways lead there, and not each needs everything. A workbook made by `write_xlsm` carries its VBA:
it needs Windows, this Python and xlwings' settings. A workbook of the user's own also needs the
xlwings add-in, whose button *Import Functions* writes VBA into it, which Excel must be told to
trust. Nothing here was seen in Excel: the facts are from xlwings' code and Microsoft's pages.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from os import environ
from pathlib import Path

from udfs.hosts import UDF_MODULE

SECURITY = r"Software\Microsoft\Office\16.0\Excel\Security"
_TRUST = "AccessVBOM"
_MACROS = "VBAWarnings"
_INTERPRETER = "INTERPRETER_WIN"
_MODULES = "UDF MODULES"

_BY_HAND_TRUST = (
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
class Check:
    """One thing that must be so, whether it is, and how to mend it; None: cannot be told here."""

    what: str
    ok: bool | None
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the installation: what was done, or what the user must still do."""

    what: str
    done: bool
    told: str


def _no_value(_path: str, _name: str) -> int | None:
    return None


def _set_nothing(_path: str, _name: str, _value: int) -> None:
    raise OSError("there is no registry on this machine")


def _run(command: Sequence[str]) -> str:
    """Run a program and return all that it says."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Machine:
    """What is looked at and changed; a test gives its own."""

    windows: bool
    home: Path
    startup: Path
    python: Path
    has_pywin32: bool
    read_registry: Callable[[str, str], int | None] = _no_value
    write_registry: Callable[[str, str, int], None] = _set_nothing
    run: Callable[[Sequence[str]], str] = _run
    shipped_addin: Path = field(default_factory=lambda: _package_file("addin", "xlwings.xlam"))

    @property
    def settings(self) -> Path:
        """The file of xlwings' settings."""
        return self.home / ".xlwings" / "xlwings.conf"

    @property
    def addin(self) -> Path:
        """Where Excel loads the xlwings add-in from."""
        return self.startup / "xlwings.xlam"

    @property
    def libraries(self) -> list[Path]:
        """Where xlwings' VBA looks for the library that starts Python."""
        name = f"xlwings64-{version('xlwings')}.dll"
        return [folder / name for folder in (self.python.parent, self.python.parent.parent)]


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    home = Path.home()
    startup = Path(environ.get("APPDATA", home)) / "Microsoft" / "Excel" / "XLSTART"
    python, pywin32 = Path(sys.executable), find_spec("win32com") is not None
    if sys.platform != "win32":
        return Machine(False, home, startup, python, pywin32)
    import winreg  # noqa: PLC0415  (Windows alone has it)

    def read(path: str, name: str) -> int | None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
                return int(winreg.QueryValueEx(key, name)[0])
        except FileNotFoundError:
            return None

    def write(path: str, name: str, value: int) -> None:
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as key:
            winreg.SetValueEx(key, name, 0, winreg.REG_DWORD, value)

    return Machine(True, home, startup, python, pywin32, read, write)


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
    return [windows, *_python_checks(machine), *_excel_checks(machine)]


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
    entries = {_INTERPRETER: str(machine.python), _MODULES: UDF_MODULE}
    lines = " and ".join(f'"{key}","{value}"' for key, value in entries.items())
    steps = [Step("xlwings settings", False, f"Write {lines} into {machine.settings}")]
    steps.append(Step("xlwings add-in", False, "Run: xlwings addin install"))
    steps.append(Step("trust in VBA", False, _BY_HAND_TRUST))
    if machine.windows:
        steps = [_write_settings(machine, entries), _install_addin(machine), steps[2]]
        if trust:
            machine.write_registry(SECURITY, _TRUST, 1)
            steps[2] = Step("trust in VBA", True, "Programs may now change macros, as you asked")
        elif machine.read_registry(SECURITY, _TRUST) == 1:
            steps[2] = Step("trust in VBA", True, "Was set already")
    return [
        *steps,
        Step("functions", False, _BY_HAND_IMPORT),
        Step("macros", False, _BY_HAND_MACROS),
    ]


def read_settings(path: Path) -> dict[str, str]:
    """Return xlwings' settings by their names in capitals."""
    if not path.exists():
        return {}
    lines = re.findall(r'^"([^"]*)","([^"]*)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.upper(): value for name, value in lines}


def _python_checks(machine: Machine) -> list[Check]:
    library = next((path for path in machine.libraries if path.exists()), None)
    settings = read_settings(machine.settings)
    interpreter = settings.get(_INTERPRETER, "")
    modules = settings.get(_MODULES, "").rstrip(";").split(";")
    return [
        Check(
            "pywin32",
            machine.has_pywin32,
            "installed" if machine.has_pywin32 else "missing",
            f"Run: {machine.python} -m pip install pywin32",
        ),
        Check(
            "xlwings library",
            library is not None,
            str(library or f"{machine.libraries[0].name} is in none of the two folders"),
            # The VBA in a workbook asks for this file by its version.
            f"Run: {machine.python} -m pip install --force-reinstall xlwings=={version('xlwings')}",
        ),
        Check(
            "Python for Excel",
            bool(interpreter) and Path(interpreter) == machine.python,
            interpreter or "not set",
            f"Run: tokenbook excel install (or set {_INTERPRETER} in {machine.settings})",
        ),
        Check(
            "module for Import Functions",
            UDF_MODULE in modules,
            ";".join(modules) or "not set",
            f"Run: tokenbook excel install (or add {UDF_MODULE} to {_MODULES})",
        ),
    ]


def _excel_checks(machine: Machine) -> list[Check]:
    there = machine.addin.exists()
    current = there and machine.addin.read_bytes() == machine.shipped_addin.read_bytes()
    other = "of another version of xlwings, or changed" if there else "not there"
    trusted = machine.read_registry(SECURITY, _TRUST) == 1
    macros = machine.read_registry(SECURITY, _MACROS)
    told = {1: "all run", 3: "only signed ones run", 4: "none runs, and Excel does not ask"}
    return [
        Check(
            "xlwings add-in",
            current,
            f"{machine.addin}: {'there' if current else other}",
            "Run: tokenbook excel install (workbooks of your own need it)",
        ),
        Check(
            "trust in VBA",
            trusted,
            "programs may change macros" if trusted else "programs may not change macros",
            _BY_HAND_TRUST,
        ),
        Check(
            "macros",
            macros not in (3, 4),
            told.get(macros or 2, "Excel asks"),
            "In Excel: File > Options > Trust Center > Trust Center Settings > Macro Settings: "
            "'Disable VBA macros with notification'",
        ),
    ]


def _write_settings(machine: Machine, entries: dict[str, str]) -> Step:
    """Write our entries into xlwings' settings and keep the user's."""
    settings = read_settings(machine.settings)
    modules = [name for name in settings.get(_MODULES, "").rstrip(";").split(";") if name]
    if UDF_MODULE not in modules:
        modules.append(UDF_MODULE)
    settings |= entries | {_MODULES: ";".join(modules)}
    machine.settings.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f'"{name}","{value}"\n' for name, value in settings.items())
    machine.settings.write_text(lines, encoding="utf-8")
    return Step("xlwings settings", True, f"Wrote {machine.settings}")


def _install_addin(machine: Machine) -> Step:
    """Let xlwings install its add-in; it tells by words alone whether that went well."""
    program = "from xlwings.cli import main; main()"
    said = machine.run([str(machine.python), "-c", program, "addin", "install"]).strip()
    done = "Successfully installed" in said
    return Step("xlwings add-in", done, said or "xlwings addin install said nothing")


def _package_file(*parts: str) -> Path:
    """Return a file of the installed xlwings, which is not imported for it."""
    spec = find_spec("xlwings")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("xlwings is not installed", name="xlwings")
    return Path(spec.origin).parent.joinpath(*parts)
