"""How the cells of a workbook look: number format, whether locked, and the name of the style."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from workbooks.ooxml.number_formats import BUILT_IN
from workbooks.ooxml.package import Package

_PART = "xl/styles.xml"


class Style(NamedTuple):
    """How a cell looks."""

    format: str = "General"
    locked: bool = True
    name: str = ""
    bold: bool = False


def read_styles(package: Package) -> tuple[Style, ...]:
    """Return the styles of a workbook by their number."""
    if _PART not in package:
        return ()
    root = etree.fromstring(package.read(_PART))
    main = etree.QName(root).namespace

    def found(path: str) -> list[etree._Element]:
        return list(root.findall("/".join(f"{{{main}}}{step}" for step in path.split("/"))))

    formats = dict(BUILT_IN)
    formats.update(
        {int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in found("numFmts/numFmt")}
    )
    names = {e.get("xfId"): e.get("name", "") for e in found("cellStyles/cellStyle")}
    bold = [e.find(f"{{{main}}}b") is not None for e in found("fonts/font")]
    styles = []
    for xf in found("cellXfs/xf"):
        protection = xf.find(f"{{{main}}}protection")
        locked = protection is None or protection.get("locked", "1") not in ("0", "false")
        font = int(xf.get("fontId", "0"))
        styles.append(
            Style(
                formats.get(int(xf.get("numFmtId", "0")), "General"),
                locked,
                names.get(xf.get("xfId"), ""),
                font < len(bold) and bold[font],
            )
        )
    return tuple(styles)
