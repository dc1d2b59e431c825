"""How the cells of a workbook look: number format, whether locked, and the name of the style."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from workbooks.ooxml.package import Package

_PART = "xl/styles.xml"
#: Formats that a file names by number alone (ECMA-376, part 1, 18.8.30).
_BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: '"$"#,##0_);("$"#,##0)', 6: '"$"#,##0_);[Red]("$"#,##0)',
    7: '"$"#,##0.00_);("$"#,##0.00)', 8: '"$"#,##0.00_);[Red]("$"#,##0.00)',
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)", 41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip


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

    formats = dict(_BUILT_IN)
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
