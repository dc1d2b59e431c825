"""Bring the add-in into the user's LibreOffice, take it out, and tell how things stand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from udfs.declare import Function, registry
from udfs.hosts.libreoffice import addin, office, values
from udfs.hosts.libreoffice.office import Calc, LibreOfficeError

_CACHE = "user/uno_packages/cache/uno_packages"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the add-in needs, whether it is there, and what to do where it is not."""

    what: str
    ok: bool
    told: str


def install(profile: Path | None = None, seconds: float = 120.0) -> str:
    """Build the add-in, register it in LibreOffice, and have Calc calculate with it.

    Parameters
    ----------
    profile : Path, optional
        Folder of the LibreOffice profile; the user's own where left out [-].
    seconds : float
        How long it may take [s].

    Returns
    -------
    str
        What was done, in one line [-].

    Raises
    ------
    LibreOfficeError
        If something is missing, or Calc does not calculate what Python does.
    """
    folder = _closed_profile(profile)
    office.check_python()
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="tokenbook-") as scratch:
        extension = addin.build(Path(scratch))
        with Calc(folder, seconds) as calc:
            calc.ask("remove", identifier=addin.IDENTIFIER, file_name=addin.FILE_NAME)
            calc.ask("add", extension=extension.as_uri())
    # A second start, as the user's next one: only then is it certain that the add-in has stayed.
    with Calc(folder, seconds) as calc:
        known = {about["name"] for about in calc.ask("described", prefix="TOK_")}
        if missing := sorted(set(registry) - known):
            raise LibreOfficeError(f"registered, but Calc does not know {', '.join(missing)}")
        _try_one(calc)
        version = calc.ask("version")
    return f"{len(registry)} functions registered in LibreOffice {version} ({folder})"


def uninstall(profile: Path | None = None, seconds: float = 120.0) -> str:
    """Take the add-in out of LibreOffice.

    Parameters
    ----------
    profile : Path, optional
        Folder of the LibreOffice profile; the user's own where left out [-].
    seconds : float
        How long it may take [s].

    Returns
    -------
    str
        What was done, in one line [-].
    """
    folder = _closed_profile(profile)
    if _registered(folder) is None:
        return f"not registered, nothing to remove ({folder})"
    with Calc(folder, seconds) as calc:
        calc.ask("remove", identifier=addin.IDENTIFIER, file_name=addin.FILE_NAME)
    return f"removed from LibreOffice ({folder})"


def status(profile: Path | None = None) -> list[Finding]:
    """Tell what the add-in needs and whether it is there, without starting LibreOffice.

    Parameters
    ----------
    profile : Path, optional
        Folder of the LibreOffice profile; the user's own where left out [-].

    Returns
    -------
    list of Finding
        One for each need; where one is not met, those that hang on it are left out [-].
    """
    folder = profile or office.default_profile()
    findings = []
    try:
        found = office.program()
    except LibreOfficeError as error:
        return [Finding("LibreOffice", False, str(error))]
    findings.append(Finding("LibreOffice", True, str(found.soffice)))
    try:
        office.check_python()
        python = Finding("Python", True, f"{found.python_version} imports Tokenbook and NumPy")
    except LibreOfficeError as error:
        python = Finding("Python", False, str(error))
    findings.append(python)
    built = _registered(folder)
    if built is None:
        told = f"not registered in {folder}; run: tokenbook libreoffice install"
        findings.append(Finding("add-in", False, told))
    elif built["fingerprint"] != addin.fingerprint():
        told = (
            f"registered by another build (version {built['version']}, {len(built['functions'])}"
            " functions); run: tokenbook libreoffice install"
        )
        findings.append(Finding("add-in", False, told))
    else:
        told = f"{len(built['functions'])} functions registered in {folder}"
        findings.append(Finding("add-in", True, told))
    return findings


def _closed_profile(profile: Path | None) -> Path:
    folder = profile or office.default_profile()
    if (folder / ".lock").exists():
        raise LibreOfficeError(
            f"LibreOffice is open; close it first (no LibreOffice open? delete {folder / '.lock'})"
        )
    return folder


def _registered(folder: Path) -> dict[str, Any] | None:
    """Return what the registered extension says of itself."""
    cache = folder / _CACHE
    # Extensions that are registered stand in this list; the folder of one that was removed stays
    # until the next start.
    listed = cache.with_suffix(".pmap")
    if not listed.is_file():
        return None
    registered = listed.read_bytes()
    for path in cache.glob(f"*/{addin.FILE_NAME}/tokenbook.json"):
        if path.parents[1].name.rstrip("_").encode() in registered:
            built: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return built
    return None


def _try_one(calc: Calc) -> None:
    """Have Calc calculate one function and hold the answer against Python's."""
    function: Function = next(f for f in registry.values() if f.plain)
    arguments = [1.0] * function.required
    formula = f"{function.name}({';'.join('1' for _ in arguments)})"
    whole = [f"=ROWS({formula})", f"=COLUMNS({formula})", f"={formula}"]
    answer = values.cells_of(calc.ask("evaluate", cells=[], formulas=[whole])[0])
    expected = function(*arguments)
    if answer != [[expected]]:
        shown = answer[0][0]
        raise LibreOfficeError(f"registered, but Calc gives {shown} for {formula}, not {expected}")
