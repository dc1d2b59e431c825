"""The structure of a workbook: its sheets, names, tables and calculation settings."""

from __future__ import annotations

import math
import posixpath
import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from workbooks.errors import NotAWorkbookError
from workbooks.formula.names import DefinedName
from workbooks.ooxml.limits import MOST_ITERATIONS
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import (
    MAIN,
    OFFICE_RELATIONSHIPS,
    PACKAGE_RELATIONSHIPS,
    STRICT_MAIN,
    local_name,
    parse,
    serialise,
)

# Written by the calculation engine of Excel 2019 and later; with an older one, or none, Excel
# calculates anew on opening and shows #NAME? where the add-in is missing.
CALC_ID = 191029
#: The part that says what each part is.
CONTENT_TYPES = "[Content_Types].xml"
#: Stands in the workbook part of what we wrote; Excel leaves it out when it saves the file.
MARK = " values computed by Tokenbook "
_APPLICATION = re.compile(rb"<(?:\w+:)?Application>([^<]*)<")
_VERSION = re.compile(rb"<(?:\w+:)?AppVersion>([^<]*)<")
_MAIN_TYPES = ("sheet.main+xml", "sheet.macroEnabled.main+xml", "template.main+xml",
               "template.macroEnabled.main+xml", "addin.macroEnabled.main+xml")  # fmt: skip
_AFTER_CALC = (
    "oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes",
    "webPublishing", "fileRecoveryPr", "webPublishObjects", "extLst",
)  # fmt: skip


class SheetInfo(NamedTuple):
    """A worksheet and the part that holds it."""

    name: str
    part: str


@dataclass(slots=True)
class Book:
    """What the parts around the sheets say."""

    part: str
    sheets: list[SheetInfo]
    names: list[DefinedName]
    date1904: bool = False
    iterate: bool = False
    iterations: int = 100
    max_change: float = 0.001
    external: list[str] = field(default_factory=list)
    strings: str | None = None
    calc_chain: str | None = None
    signed: bool = False
    #: What saved the file, and in which version, as it says of itself.
    application: str = ""
    version: str = ""
    main: str = MAIN

    @property
    def mac(self) -> bool:
        """Whether Excel on a Mac saved the file."""
        return "Macintosh" in self.application

    def sheet(self, name: str) -> SheetInfo | None:
        """Return a worksheet by its name, which Excel compares without case."""
        return next((s for s in self.sheets if s.name.casefold() == name.casefold()), None)


def relations(package: Package, part: str) -> dict[str, tuple[str, str, bool]]:
    """Return the relations of a part by id: type, target part, and whether it is external."""
    folder, name = posixpath.split(part)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in package:
        return {}
    found = {}
    for element in parse(package.read(path), path).iter(f"{{{PACKAGE_RELATIONSHIPS}}}Relationship"):
        target = element.get("Target", "")
        external = element.get("TargetMode") == "External"
        if not external:
            target = unquote(target)
            target = posixpath.normpath(
                target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            )
        found[element.get("Id", "")] = (element.get("Type", ""), target, external)
    return found


def read_book(package: Package) -> Book:
    """Read the workbook part and what it points at."""
    name = package.path.name
    if CONTENT_TYPES not in package:
        raise NotAWorkbookError(f"{name} is a zip file but no workbook")
    parse(package.read(CONTENT_TYPES), CONTENT_TYPES)
    part = next(
        (t for kind, t, _ in relations(package, "").values() if kind.endswith("/officeDocument")),
        None,
    )
    if part is None or part not in package:
        raise NotAWorkbookError(f"{name} is an Office file but no workbook")
    if part.endswith(".bin"):
        raise NotAWorkbookError(f"{name} is a binary workbook (.xlsb); save it as .xlsx")
    root = parse(package.read(part), part)
    namespace = etree.QName(root).namespace
    if local_name(root) != "workbook" or namespace not in (MAIN, STRICT_MAIN):
        raise NotAWorkbookError(f"{name} is an Office file but no workbook")
    book = Book(part=part, sheets=[], names=[], main=str(namespace))
    targets = relations(package, part)
    everything = _read_sheets(root, targets, book)
    for element in root.iter(f"{{{namespace}}}definedName"):
        index = element.get("localSheetId")
        sheet = _listed(everything, index)
        name, comment = element.get("name", ""), element.get("comment", "")
        book.names.append(DefinedName(name, element.text or "", sheet, comment))
    properties = root.find(f"{{{namespace}}}workbookPr")
    book.date1904 = properties is not None and _true(properties.get("date1904"))
    settings = root.find(f"{{{namespace}}}calcPr")
    if settings is not None:
        book.iterate = _true(settings.get("iterate"))
        if book.iterate:
            book.iterations = _iterations(settings.get("iterateCount", "100"), part)
            book.max_change = _max_change(settings.get("iterateDelta", "0.001"), part)
    book.external = [t for kind, t, _ in targets.values() if kind.endswith("/externalLink")]
    book.strings = next(
        (t for kind, t, _ in targets.values() if kind.endswith("/sharedStrings")), None
    )
    book.calc_chain = next(
        (t for kind, t, _ in targets.values() if kind.endswith("/calcChain")), None
    )
    book.application, book.version = _saved_by(package)
    book.signed = any(entry.startswith("_xmlsignatures/") for entry in package.entries)
    return book


def _saved_by(package: Package) -> tuple[str, str]:
    """Return the program that saved a file and its version; empty where it does not say.

    Damaged properties are no reason to refuse a workbook: they are searched, not parsed.
    """
    parts = relations(package, "").values()
    part = next((t for kind, t, _ in parts if kind.endswith("/extended-properties")), "")
    properties = package.read(part) if part in package else b""
    found = (_APPLICATION.search(properties), _VERSION.search(properties))
    application, version = (match[1].decode("utf-8", "replace") if match else "" for match in found)
    return application, version


def _read_sheets(
    root: etree._Element, targets: dict[str, tuple[str, str, bool]], book: Book
) -> list[str]:
    everything = []
    for element in root.iter(f"{{{book.main}}}sheet"):
        name = element.get("name", "")
        everything.append(name)
        relation = (
            element.get(f"{{{OFFICE_RELATIONSHIPS}}}id")
            or element.get("{http://purl.oclc.org/ooxml/officeDocument/relationships}id")
            or ""
        )
        kind, target, external = targets.get(relation, ("", "", True))
        if kind.endswith("/worksheet") and not external:
            book.sheets.append(SheetInfo(name, target))
    if not everything:
        raise NotAWorkbookError(f"{book.part} lists no sheets")
    return everything


def _listed(sheets: list[str], index: str | None) -> str | None:
    """Return the sheet that a name belongs to; None for the whole workbook."""
    places = {str(i): name for i, name in enumerate(sheets)}
    return places.get((index or "").strip())


def _iterations(text: str, part: str) -> int:
    try:
        # Excel's own limits.
        return min(max(int(text), 1), MOST_ITERATIONS)
    except ValueError as error:
        raise NotAWorkbookError(f"{part}: iterateCount is {text!r:.40}, no number") from error


def _max_change(text: str, part: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise NotAWorkbookError(f"{part}: iterateDelta is {text!r:.40}, no number of 0 or more")
    return value


def _true(text: str | None) -> bool:
    return text in ("1", "true")


def settled(data: bytes, part: str) -> bytes:
    """Return the workbook part so that Excel shows the values instead of calculating anew."""
    root = parse(data, part)
    namespace = etree.QName(root).namespace
    tag = f"{{{namespace}}}calcPr"
    settings = root.find(tag)
    if settings is None:
        settings = etree.Element(tag)
        place = next(
            (i for i, child in enumerate(root) if local_name(child) in _AFTER_CALC), len(root)
        )
        root.insert(place, settings)
    if "fullCalcOnLoad" in settings.attrib:
        del settings.attrib["fullCalcOnLoad"]
    number = settings.get("calcId") or "0"
    settings.set("calcId", str(max(int(number) if number.isdecimal() else 0, CALC_ID)))
    if not any(isinstance(node, etree._Comment) and node.text == MARK for node in root):
        root.append(etree.Comment(MARK))
    return serialise(root)


def without_part(package: Package, book: Book, part: str) -> dict[str, bytes]:
    """Return the parts that list a part of the workbook, so that they no longer do."""
    folder, name = posixpath.split(book.part)
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    gone = {i for i, (_, target, _) in relations(package, book.part).items() if target == part}
    links = parse(package.read(rels), rels)
    types = parse(package.read(CONTENT_TYPES), CONTENT_TYPES)
    for element in list(links):
        if element.get("Id") in gone:
            links.remove(element)
    for element in list(types):
        if element.get("PartName", "").lstrip("/").lower() == part.lower():
            types.remove(element)
    return {rels: serialise(links), CONTENT_TYPES: serialise(types)}
