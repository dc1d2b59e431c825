"""A workbook for classic xlwings: a built template with the VBA that calls Python inside.

The template's parts are taken over byte for byte, because a library that loads and saves a
workbook loses values and much else. Changed are only the type of the workbook, the names by which
VBA knows the workbook and its sheets, and the list of parts; added is a hidden sheet of settings.

The VBA goes in as source alone. Excel keeps compiled code beside the source and may run that
instead, so a project made by another program must say that it has none (MS-OVBA 2.3.4.1).
"""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from engine.errors import InputError, TokenbookError
from udfs.declare import Function, registry
from udfs.hosts.excel import settings, vba

_PLAIN = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_TYPES = "[Content_Types].xml"
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SETTINGS = "xl/worksheets/xlwings-conf.xml"
_PROJECT = "xl/vbaProject.bin"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: `_VBA_PROJECT` of a project without compiled code: version 0xFFFF, and nothing after the header.
NO_CACHE = bytes.fromhex("cc61ffff000100")
# The start of Python in xlwings' VBA, without and with the folder that Excel happens to be in
# kept out of Python's path: a numpy.py there would be run.
_START, _SAFE_START = '" -B -c ""', '" -P -B -c ""'
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
                project.add_module(name, _crlf(source), kind=kind)
            for name, source in sources(functions).items():
                if name != "ThisWorkbook":
                    project.add_module(name, _crlf(source))
            book.set_module(project.modules[0].name, _crlf(vba.THIS_WORKBOOK))
            for module in project.modules:
                # Written anew, a module has no compiled code before its source.
                module.dirty = True
            book.save()
        made = _without_cache(made)
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
        sheet, relation, kind = _settings_sheet(package.read(_WORKBOOK))
        changes = {
            _TYPES: {_PLAIN: _MACRO, b"</Types>": kind + b"</Types>"},
            _WORKBOOK: {b"</sheets>": sheet + b"</sheets>"},
            _RELATIONS: {b"</Relationships>": relation + b"</Relationships>"},
        }
        for part in package.infolist():
            content = package.read(part)
            for there, wanted in changes.get(part.filename, {}).items():
                if content.count(there) != 1:
                    raise InputError(f"{template.name} is not a plain .xlsx workbook")
                content = content.replace(there, wanted)
            copy.writestr(part, content)
        copy.writestr(zipfile.ZipInfo(_SETTINGS), settings.sheet(), zipfile.ZIP_DEFLATED)


def _settings_sheet(workbook: bytes) -> list[bytes]:
    """Return what workbook, relations and types say of the sheet of settings, which is hidden."""
    number = 1 + max((int(n) for n in re.findall(rb'\bsheetId="(\d+)"', workbook)), default=0)
    told = (
        f'<sheet xmlns:r="{_OFFICE}" name="{settings.SHEET}" sheetId="{number}" state="hidden"'
        ' r:id="rIdSettings"/>',
        f'<Relationship Type="{_OFFICE}/worksheet" Target="/{_SETTINGS}" Id="rIdSettings"/>',
        f'<Override PartName="/{_SETTINGS}" ContentType="{_SHEET}"/>',
    )
    return [text.encode() for text in told]


def _without_cache(book: Path) -> Path:
    """Return a copy of the workbook beside it whose VBA project says that it has source alone."""
    from pyopenvba.cfb import CFB  # type: ignore[import-untyped]  # noqa: PLC0415

    out = book.with_name(f"source-{book.name}")
    with zipfile.ZipFile(book) as package, zipfile.ZipFile(out, "w") as copy:
        for part in package.infolist():
            content = package.read(part)
            if part.filename == _PROJECT:
                project = CFB.from_bytes(content)
                project.write_stream_in_storage("VBA", "_VBA_PROJECT", NO_CACHE)
                content = project.to_bytes()
            copy.writestr(part, content)
    return out


def _xlwings_modules() -> dict[str, tuple[object, str]]:
    """Return kind and source of xlwings' own modules, from the workbook that it ships."""
    from pyopenvba import ExcelFile  # noqa: PLC0415

    shipped = files("xlwings") / "quickstart_standalone.xlsm"
    with as_file(shipped) as path, ExcelFile(path) as book:
        modules = [book.vba_project().get_module(name) for name in _XLWINGS_MODULES]
        found = {module.name: (module.kind, module.source) for module in modules}
    kind, source = found["xlwings"]
    if source.count(f"tail = {_START}") != 1:
        raise TokenbookError("this version of xlwings starts Python in a way unknown to Tokenbook")
    return found | {"xlwings": (kind, source.replace(f"tail = {_START}", f"tail = {_SAFE_START}"))}


def _crlf(source: str) -> str:
    """Return VBA with the line ends that its editor wants."""
    return source.replace("\r\n", "\n").replace("\n", "\r\n")
