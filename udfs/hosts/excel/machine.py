"""The Windows machine that Excel runs on: its folders, its registry, its Python."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import files, version
from importlib.util import find_spec
from pathlib import Path, PureWindowsPath

#: Where Windows keeps the environment variables of a user.
ENVIRONMENT = "Environment"

Value = int | str


def _no_value(_path: str, _name: str) -> Value | None:
    return None


def _set_nothing(_path: str, _name: str, _value: Value | None) -> None:
    raise OSError("there is no registry on this machine")


def _run(command: Sequence[str]) -> str:
    """Run a program as Excel would, without what a shell has put on PATH; return what it says."""
    root = os.environ.get("SYSTEMROOT", "")
    path = os.pathsep.join((str(Path(root) / "System32"), root)) if root else os.defpath
    hidden = ("PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, errors="replace",
        env=kept | {"PATH": path},
    )  # fmt: skip
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Machine:
    """What is looked at and changed; a test gives its own."""

    windows: bool
    home: Path
    startup: Path
    python: Path
    prefix: Path
    base: Path
    has_pywin32: bool
    #: The code page in which Excel reads the settings.
    encoding: str
    #: Where pip has put the library that starts Python.
    pip_library: Path | None
    read_registry: Callable[[str, str], Value | None] = _no_value
    #: None as a value removes it.
    write_registry: Callable[[str, str, Value | None], None] = _set_nothing
    run: Callable[[Sequence[str]], str] = _run
    shipped_addin: Path = field(default_factory=lambda: _package_file("addin", "xlwings.xlam"))

    @property
    def settings(self) -> Path:
        """The file of the user's settings for xlwings."""
        return self.home / ".xlwings" / "xlwings.conf"

    @property
    def record(self) -> Path:
        """The file in which `install` notes what it has written, for `uninstall`."""
        return self.home / ".xlwings" / "tokenbook.json"

    @property
    def addin(self) -> Path:
        """Where Excel loads the xlwings add-in from."""
        return self.startup / "xlwings.xlam"

    @property
    def libraries(self) -> list[Path]:
        """Where xlwings' VBA looks for the library that starts Python."""
        return [folder / library_name() for folder in (self.python.parent, self.python.parents[1])]

    @property
    def is_conda(self) -> bool:
        """Whether the Python is that of a conda environment."""
        return (self.prefix / "conda-meta").is_dir()

    @property
    def is_store(self) -> bool:
        """Whether the Python is that of the Microsoft Store, or an environment made from it."""
        folders = (self.python, self.base)
        return any("windowsapps" in str(PureWindowsPath(path)).lower() for path in folders)


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    home = Path.home()
    startup = Path(os.environ.get("APPDATA", home)) / "Microsoft" / "Excel" / "XLSTART"
    pywin32 = find_spec("win32com") is not None
    here = (home, startup, Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), pywin32)
    if sys.platform != "win32":
        return Machine(False, *here, "utf-8", None)
    return Machine(True, *here, "mbcs", _pip_library(), read_registry, write_registry)


def library_name() -> str:
    """Return the file that xlwings' VBA loads, by its version."""
    return f"xlwings64-{version('xlwings')}.dll"


def same_path(one: str | Path, other: str | Path) -> bool:
    r"""Tell whether two paths are one to Windows.

    >>> same_path(r"C:\Python\python.exe", "c:/python/PYTHON.exe")
    True
    """
    return PureWindowsPath(one) == PureWindowsPath(other)


def read_registry(path: str, name: str) -> Value | None:
    """Return a value of the user's registry."""
    if sys.platform != "win32":
        raise OSError("there is no registry on this machine")
    import winreg  # noqa: PLC0415  (Windows alone has it)

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            value = winreg.QueryValueEx(key, name)[0]
    except FileNotFoundError:
        return None
    return value if isinstance(value, int | str) else None


def write_registry(path: str, name: str, value: Value | None) -> None:
    """Set a value of the user's registry, or remove it; running programs are told of variables."""
    if sys.platform != "win32":
        raise OSError("there is no registry on this machine")
    import ctypes  # noqa: PLC0415
    import winreg  # noqa: PLC0415

    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as key:
        if value is None:
            winreg.DeleteValue(key, name)
        else:
            kind = winreg.REG_DWORD if isinstance(value, int) else winreg.REG_SZ
            winreg.SetValueEx(key, name, 0, kind, value)
    if path == ENVIRONMENT:
        # WM_SETTINGCHANGE to all windows: what Explorer starts from now on has the variable.
        ctypes.windll.user32.SendMessageTimeoutW(
            0xFFFF, 0x001A, 0, ENVIRONMENT, 2, 5000, ctypes.byref(ctypes.c_ulong())
        )


def _pip_library() -> Path | None:
    found = [part for part in files("xlwings") or () if part.name == library_name()]
    # With --user it lies in the folder of the user's packages, where the VBA does not look.
    places = [Path(str(part.locate())).resolve() for part in found]
    places.append(Path(site.getuserbase()) / library_name())
    return next((place for place in places if place.exists()), None)


def _package_file(*parts: str) -> Path:
    """Return a file of the installed xlwings, which is not imported for it."""
    spec = find_spec("xlwings")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("xlwings is not installed", name="xlwings")
    return Path(spec.origin).parent.joinpath(*parts)
