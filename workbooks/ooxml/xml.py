"""The small XML parts of a package, parsed so that nothing outside them is ever read."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from workbooks.errors import NotAWorkbookError, UnsafeFileError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
OFFICE_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"

_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: How the text of a cell holds a character that XML cannot, or a carriage return.
_HELD = re.compile("_x([0-9A-Fa-f]{4})_")
_TO_HOLD = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def parse(data: bytes, part: str) -> etree._Element:
    """Parse one part; a document type declaration is refused before it can do anything."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotAWorkbookError(f"{part} is not well-formed XML: {error}") from error
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise UnsafeFileError(f"{part} declares a document type (DTD)")
    return root


def is_utf8(head: bytes) -> bool:
    """Tell by its first bytes whether a part is UTF-8, as it mostly is."""
    if head.startswith((b"\xfe\xff", b"\xff\xfe")) or b"\0" in head[:4]:
        return False
    declared = _ENCODING.search(head[:200])
    return declared is None or declared[1].lower() in (b"utf-8", b"us-ascii")


def serialise(root: etree._Element) -> bytes:
    """Return a part as Excel writes it: UTF-8 with a declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace; empty for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def unescape(data: bytes) -> str:
    """Return the text of element content, or of an attribute."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAWorkbookError(f"a part of the file is not UTF-8: {error}") from error
    if "\r" in text:
        # XML has one end of a line.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name[0] != "#":
            return _ENTITIES[name]
        code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
        return chr(code) if code <= 0x10FFFF else match[0]

    return _ENTITY.sub(one, text)


def escape(text: str) -> bytes:
    """Return text as element content; characters that XML has no way to hold are left out."""
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A bare carriage return would be read back as a line feed.
    return text.replace("\r", "&#13;").encode("utf-8")


def cell_text(data: bytes) -> str:
    """Return the text that a cell holds, in which `_x000D_` stands for a carriage return."""
    return plain(unescape(data))


def plain(text: str) -> str:
    r"""Return a text of a cell without its escapes.

    Examples
    --------
    >>> plain("one_x000A_two, _x005F_x000A_")
    'one\ntwo, _x000A_'
    """
    return _HELD.sub(lambda held: chr(int(held[1], 16)), text) if "_x" in text else text


def held_text(text: str) -> bytes:
    """Return a text as the content of a cell, in the way of `cell_text`."""
    return escape(_TO_HOLD.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
