"""A workbook for classic xlwings: a built template with the VBA that calls Python inside.

The template's parts are taken over byte for byte, because a library that loads and saves a
workbook loses values and much else. Changed are only the type of the workbook, the names by which
VBA knows the workbook and its sheets, and the list of parts.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from engine.errors import InputError
from udfs.declare import Function, registry
from udfs.hosts.excel import vba

_PLAIN = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_TYPES = "[Content_Types].xml"
#: xlwings' own modules: what a workbook needs that does not lean on the xlwings add-in.
_XLWINGS_MODULES = ("xlwings", "Dictionary")


def write_xlsm(
    template: str | os.PathLike[str],
    out: str | os.PathLike[str],
    functions: Mapping[str, Function] = registry,
) -> Path:
    """Write a template as a macro-enabled workbook with the wrapper module inside.

    Its VBA fits the installed version of xlwings, whose DLL it loads by name: the machine that
    opens it needs the same version.

    Parameters
    ----------
    template : path
        A built .xlsx.
    out : path
        The .xlsm to write; it is replaced.
    functions : Mapping
        The functions to export.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        Where `out` is not an .xlsm, or the template is no plain workbook.
    """
    from pyopenvba import ExcelFile  # type: ignore[import-untyped]  # noqa: PLC0415

    template, out = Path(template), Path(out)
    if out.suffix.lower() != ".xlsm":
        raise InputError(f"{out.name} must end in .xlsm")
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        made = Path(folder) / out.name
        _as_macro_workbook(template, made)
        with ExcelFile(made) as book:
            project = book.add_vba_project()
            for name, (kind, source) in _xlwings_modules().items():
                project.add_module(name, source, kind=kind)
            for name, source in sources(functions).items():
                if name != "ThisWorkbook":
                    project.add_module(name, _crlf(source))
            book.set_module(project.modules[0].name, _crlf(vba.THIS_WORKBOOK))
            book.save()
        # Only a whole file takes the place of one that is there.
        made.replace(out)
    return out


def sources(functions: Mapping[str, Function] = registry) -> dict[str, str]:
    """Return the source of each VBA module that is ours, by the module's name."""
    return {
        "ThisWorkbook": vba.THIS_WORKBOOK,
        vba.MODULE: vba.wrapper_module(functions),
        vba.HELP_MODULE: vba.help_module(functions),
    }


def _as_macro_workbook(template: Path, out: Path) -> None:
    """Copy the parts of a package; the workbook part becomes that of a macro-enabled one."""
    with zipfile.ZipFile(template) as package, zipfile.ZipFile(out, "w") as copy:
        for part in package.infolist():
            content = package.read(part)
            if part.filename == _TYPES:
                if content.count(_PLAIN) != 1:
                    raise InputError(f"{template.name} is not a plain .xlsx workbook")
                content = content.replace(_PLAIN, _MACRO)
            copy.writestr(part, content)


def _xlwings_modules() -> dict[str, tuple[object, str]]:
    """Return kind and source of xlwings' own modules, from the workbook that it ships."""
    from pyopenvba import ExcelFile  # noqa: PLC0415

    shipped = files("xlwings") / "quickstart_standalone.xlsm"
    with as_file(shipped) as path, ExcelFile(path) as book:
        modules = [book.vba_project().get_module(name) for name in _XLWINGS_MODULES]
        return {module.name: (module.kind, module.source) for module in modules}


def _crlf(source: str) -> str:
    """Return VBA with the line ends that its editor wants."""
    return source.replace("\n", "\r\n")
