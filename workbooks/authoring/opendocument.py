"""Two .ods files compared: LibreOffice never writes the same bytes twice."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_RULE = f"{_TABLE}content-validation-name"


def same_cells(one: Path, other: Path) -> bool:
    """Tell whether two .ods files have the same sheets, formulas, values and charts.

    The names of styles are passed over: LibreOffice numbers them as it comes upon them.

    Parameters
    ----------
    one, other : Path
        The files [-].

    Returns
    -------
    bool
        Whether they differ in styles at most; False where one is no .ods [-].
    """
    try:
        return _content(one) == _content(other)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError):
        return False


def _content(path: Path) -> list[tuple[str, dict[str, str], str | None]]:
    with zipfile.ZipFile(path) as package:
        root = etree.fromstring(package.read("content.xml"))
    body = root.find(f"{_OFFICE}body")
    rules = {} if body is None else _rules(body)
    found = [] if body is None else list(body.iter(etree.Element))
    return [
        (
            str(element.tag),
            {
                str(name): rules.get(str(value), str(value)) if name == _RULE else str(value)
                for name, value in element.attrib.items()
                if not str(name).endswith("style-name")
            },
            element.text,
        )
        for element in found
    ]


def _rules(body: etree._Element) -> dict[str, str]:
    """Take the rules for inputs out, and return each by its name.

    LibreOffice numbers them as it comes upon them, and says of one that stands on several sheets
    that it begins on any of these.
    """
    rules = {}
    for listed in list(body.iter(f"{_TABLE}content-validations")):
        for rule in listed:
            name = str(rule.attrib.pop(f"{_TABLE}name", ""))
            rule.attrib.pop(f"{_TABLE}base-cell-address", "")
            rules[name] = etree.tostring(rule, encoding="unicode", with_tail=False)
        parent = listed.getparent()
        if parent is not None:
            parent.remove(listed)
    return rules
