"""The .oxt extension that brings the functions into Calc, built from the registry.

A .oxt is a zip of four things: the interface as UNO IDL source, which LibreOffice 7.4 and later
compile themselves; the component; what the function wizard shows (CalcAddIns.xcu); a manifest.
"""

from __future__ import annotations

import hashlib
import json
import sysconfig
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from engine import __version__
from udfs.declare import Function, registry
from udfs.hosts.libreoffice.values import TWIN, answers_with_text

#: The extension among others in LibreOffice's extension manager.
IDENTIFIER = "org.tokenbook.calc"
#: The UNO service; with a dot and a function's name behind it, the full name in a formula.
SERVICE = "org.tokenbook.Functions"
INTERFACE = "org.tokenbook.XFunctions"
#: The function that hands a reference over with its blanks, logical values and errors.
KEEP = "TOK_CELLS"
FILE_NAME = "tokenbook.oxt"
_KEEP_HELP = (
    "Hands a reference to a TOK_ function with its blank cells, logical values and errors kept"
    " apart; without it, Calc takes a blank cell for 0 and TRUE for 1."
)
# Rows of any value are the one result that fits a range.
_ROWS = "sequence< sequence< any > >"
_OOR = "http://openoffice.org/2001/registry"


def full_name(name: str) -> str:
    """Return a function's name as Calc stores it and finds it in any file.

    Examples
    --------
    >>> full_name("TOK_SUBSIDY")
    'ORG.TOKENBOOK.FUNCTIONS.TOK_SUBSIDY'
    """
    return f"{SERVICE.upper()}.{name}"


def idl() -> str:
    """Return the interface of the add-in as UNO IDL source."""
    methods = []
    for function in registry.values():
        arguments = ", ".join(f"[in] any {_idl_name(i)}" for i in range(len(function.parameters)))
        if answers_with_text(function):
            methods.append(f"    any {function.name}({arguments});")
        methods.append(f"    {_ROWS} {rows_name(function)}({arguments});")
    # Arguments of type any may be left out.
    return "\n".join(
        [
            "module org { module tokenbook {",
            "  interface XFunctions {",
            f"    string {KEEP}([in] com::sun::star::table::XCellRange area);",
            *methods,
            "  };",
            "}; };",
            "",
        ]
    )


def rows_name(function: Function) -> str:
    """Return the name under which a function returns rows for ranges."""
    return function.name + TWIN if answers_with_text(function) else function.name


def _idl_name(place: int) -> str:
    # UNO allows no underscore in lower-case names, and reserves words such as `out`.
    return f"argument{place + 1}"


def wizard() -> str:
    """Return CalcAddIns.xcu: names, help and arguments as the function wizard shows them."""
    functions = [_described(KEEP, _KEEP_HELP, [("area", "area", "the cell or the range")])]
    for function in registry.values():
        arguments = [
            (_idl_name(i), argument.name, argument.text)
            for i, argument in enumerate(function.arguments)
        ]
        functions.append(_described(function.name, description(function), arguments))
        if answers_with_text(function):
            text = f"{function.name} of ranges, cell by cell."
            functions.append(_described(rows_name(function), text, arguments))
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<oor:component-data xmlns:oor="{_OOR}"',
            ' xmlns:xs="http://www.w3.org/2001/XMLSchema"',
            ' oor:name="CalcAddIns" oor:package="org.openoffice.Office">\n',
            '<node oor:name="AddInInfo">',
            f'<node oor:name="{SERVICE}" oor:op="replace"><node oor:name="AddInFunctions">\n',
            *functions,
            "</node></node></node>\n</oor:component-data>\n",
        ]
    )


def description(function: Function) -> str:
    """Return what the function wizard says of a function."""
    return f"{function.summary} Gives: {function.returns} [{function.unit}]."


def _described(name: str, help_text: str, arguments: Iterable[tuple[str, str, str]]) -> str:
    parameters = "".join(
        f'<node oor:name="{idl_name}" oor:op="replace">'
        f"{_prop('DisplayName', shown)}{_prop('Description', text)}</node>\n"
        for idl_name, shown, text in arguments
    )
    return (
        f'<node oor:name={quoteattr(name)} oor:op="replace">'
        f"{_prop('DisplayName', name)}{_prop('Description', help_text)}"
        '<prop oor:name="Category"><value>Add-In</value></prop>\n'
        f'<node oor:name="Parameters">{parameters}</node></node>\n'
    )


def _prop(name: str, value: str) -> str:
    # English serves every language: LibreOffice falls back to it.
    return f'<prop oor:name="{name}"><value xml:lang="en-US">{escape(value)}</value></prop>'


_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">
<manifest:file-entry manifest:full-path="tokenbook.idl"
 manifest:media-type="application/vnd.sun.star.uno-typelibrary;type=RDB"/>
<manifest:file-entry manifest:full-path="component.py"
 manifest:media-type="application/vnd.sun.star.uno-component;type=Python"/>
<manifest:file-entry manifest:full-path="CalcAddIns.xcu"
 manifest:media-type="application/vnd.sun.star.configuration-data"/>
</manifest:manifest>
"""


def _about() -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<description xmlns="http://openoffice.org/extensions/description/2006">\n'
        f'<identifier value="{IDENTIFIER}"/><version value="{__version__}"/>\n'
        '<display-name><name lang="en">Tokenbook</name></display-name>\n'
        "</description>\n"
    )


def import_paths() -> list[str]:
    """Return the folders from which LibreOffice's Python shall import Tokenbook and NumPy."""
    paths = [
        str(Path(__file__).parents[3]),
        str(Path(np.__file__).parents[1]),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    ]
    return list(dict.fromkeys(paths))


def parts() -> dict[str, str]:
    """Return the files of the extension by their names in it."""
    files = {
        "META-INF/manifest.xml": _MANIFEST,
        "description.xml": _about(),
        "tokenbook.idl": idl(),
        "CalcAddIns.xcu": wizard(),
        "component.py": Path(__file__).with_name("component.py").read_text("utf-8"),
    }
    built = {
        "service": SERVICE,
        "interface": INTERFACE,
        "functions": list(registry),
        "paths": import_paths(),
        "version": __version__,
    }
    seen = hashlib.sha256(json.dumps([files, built], sort_keys=True).encode()).hexdigest()
    files["tokenbook.json"] = json.dumps({**built, "fingerprint": seen[:16]}, indent=1)
    return files


def fingerprint() -> str:
    """Return what tells this build of the extension from any other."""
    return str(json.loads(parts()["tokenbook.json"])["fingerprint"])


def build(target: Path) -> Path:
    """Write the extension.

    Parameters
    ----------
    target : Path
        The folder or the .oxt file to write [-].

    Returns
    -------
    Path
        The file written [-].
    """
    path = target / FILE_NAME if target.is_dir() else target
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts().items():
            # A fixed date: the same registry gives the same bytes.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    path.write_bytes(content.getvalue())
    return path
