"""The custom properties of a workbook: read, and some set; all else stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from workbooks.errors import NotAWorkbookError
from workbooks.ooxml.additions import before_end
from workbooks.ooxml.book import CONTENT_TYPES, relations
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import escape, is_utf8, local_name, parse, serialise

_PART = "docProps/custom.xml"
_ROOT_LINKS = "_rels/.rels"
_CONTENT = b"application/vnd.openxmlformats-officedocument.custom-properties+xml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument"
_VALUES = {
    f"{_OFFICE}/custom-properties": f"{_OFFICE}/docPropsVTypes",
    f"{_STRICT}/customProperties": f"{_STRICT}/docPropsVTypes",
}
_KINDS = ("/custom-properties", "/customProperties")
#: What Office calls the set of custom properties; the ids in it begin with 2.
_SET = b"{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_FIRST = 2
_PROPERTY = re.compile(
    rb"<((?:\w+:)?)property\b([^>]*?)(?:/>|>.*?</(?:\w+:)?property\s*>)", re.DOTALL
)
_NAME = re.compile(rb"\bname\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_END = re.compile(rb"</(?:\w+:)?Properties\s*>")
_ROOT = re.compile(rb"<((?:\w+:)?)Properties\b[^>]*?(/?)>")


class Edited(NamedTuple):
    """Parts of a package that get new bytes, and parts that come to it."""

    changed: dict[str, bytes]
    added: dict[str, bytes]


def custom_properties(package: Package) -> dict[str, str]:
    """Return the custom properties of a workbook as texts, by name.

    Raises
    ------
    NotAWorkbookError
        The part that holds them cannot be read.
    """
    part = _part(package)
    return _read(package.read(part), part) if part else {}


def with_custom_properties(package: Package, values: Mapping[str, str], types: bytes) -> Edited:
    """Return what is to be written so that a workbook has these custom properties too.

    Parameters
    ----------
    package : Package
        The workbook.
    values : Mapping
        Texts by the names of the properties.
    types : bytes
        The part of content types, as it is going to be written.

    Raises
    ------
    NotAWorkbookError, RefusedError
        There are properties of another kind than is known; nothing of them is written.
    """
    part = _part(package)
    if part:
        old = package.read(part)
        new = _set(old, part, values)
        return Edited({part: new} if new != old else {}, {})
    part = next(name for name in _names() if name not in package)
    links = relations(package, "")
    strict = any(kind.startswith(_STRICT) for kind, _, _ in links.values())
    namespace = f"{_STRICT}/customProperties" if strict else f"{_OFFICE}/custom-properties"
    kind = (
        f"{_STRICT}/relationships/customProperties"
        if strict
        else f"{_OFFICE}/relationships/custom-properties"
    )
    identity = next(
        i for i in (f"rIdTokenbook{n}" for n in range(len(links) + 1)) if i not in links
    )
    empty = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<Properties xmlns="%b"></Properties>' % namespace.encode()
    )
    link = b'<%%bRelationship Id="%b" Type="%b" Target="%b"/>' % (
        identity.encode(),
        kind.encode(),
        part.encode(),
    )
    override = b'<%%bOverride PartName="/%b" ContentType="%b"/>' % (part.encode(), _CONTENT)
    return Edited(
        {
            _ROOT_LINKS: before_end(package.read(_ROOT_LINKS), b"Relationships", link),
            CONTENT_TYPES: before_end(types, b"Types", override),
        },
        {part: _set(empty, part, values)},
    )


def _names() -> list[str]:
    return [_PART, *(_PART.replace(".", f"{n}.") for n in range(1, 100))]


def _part(package: Package) -> str:
    """Return the part that holds the custom properties; empty where there is none."""
    links = relations(package, "").values()
    return next((t for kind, t, away in links if kind.endswith(_KINDS) and not away), "")


def _read(data: bytes, part: str) -> dict[str, str]:
    root = parse(data, part)
    if etree.QName(root).namespace not in _VALUES or local_name(root) != "Properties":
        raise NotAWorkbookError(f"{part} holds no custom properties")
    return {
        element.get("name", ""): "".join(map(str, element.itertext()))
        for element in root
        if local_name(element) == "property"
    }


def _set(data: bytes, part: str, values: Mapping[str, str]) -> bytes:
    """Return the part with these properties; those that have their value already stay."""
    held = _read(data, part)
    wanted = {name: value for name, value in values.items() if held.get(name) != value}
    if not wanted:
        return data
    root = parse(data, part)
    if not is_utf8(data):
        data = serialise(root)
    numbers = [int(n) for e in root if (n := e.get("pid", "")).isdecimal()]
    following = max([_FIRST - 1, *numbers]) + 1
    values_in = _VALUES[str(etree.QName(root).namespace)].encode()
    ids = {e.get("name", ""): e.get("pid", "") for e in root if local_name(e) == "property"}
    match = _ROOT.search(data)
    prefix = match[1] if match else b""
    new: dict[str, bytes] = {}
    for name, value in wanted.items():
        number = ids.get(name, "")
        if not number:
            number, following = str(following), following + 1
        new[name] = (
            b'<%bproperty fmtid="%b" pid="%b" name="%b">'
            b'<vt:lpwstr xmlns:vt="%b">%b</vt:lpwstr></%bproperty>'
        ) % (prefix, _SET, number.encode(), escape(name), values_in, escape(value), prefix)

    def renewed(found: re.Match[bytes]) -> bytes:
        named = _NAME.search(found[2])
        name = (named[1] or named[2] or b"").decode() if named else ""
        return new.pop(name, found[0])

    data = _PROPERTY.sub(renewed, data)
    if match and match[2]:
        data = data.replace(match[0], b"%b></%bProperties>" % (match[0][:-2], prefix), 1)
    end = _END.search(data)
    if end is not None:
        data = data[: end.start()] + b"".join(new.values()) + data[end.start() :]
    if _read(data, part) != held | wanted:
        raise NotAWorkbookError(f"{part} is written in an unknown way")
    return data
