"""How a workbook looks: one palette, one style for each role of a cell, one format for each unit.

Beside `writer`, the only file that knows openpyxl's styles. Colours follow what reviewers of
finance models expect: inputs blue on yellow, formulas black, links to other sheets green.
"""

from __future__ import annotations

from typing import Any

from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side

FONT = "Calibri"
INK = "1F2933"
ACCENT = "0B5394"
MUTED = "6B7280"
#: Colours of chart series, told apart in grey print too.
SERIES = ("0B5394", "E69138", "6AA84F", "A64D79", "45818E", "999999")

_HAIR = Side(style="hair", color="B7BDC6")
_THIN = Side(style="thin", color=ACCENT)

#: Number formats by the unit or purpose of a cell.
FORMATS = {
    "text": "General",
    "number": "#,##0.00",
    "integer": "#,##0",
    "decimal": "#,##0.0",
    "year": "0",
    "price": '"$"#,##0.00',
    "price4": '"$"#,##0.0000',
    "price3": '"$"#,##0.000',
    "usd": '"$"#,##0;[Red]-"$"#,##0',
    "musd": '"$"#,##0.0,,"M";[Red]-"$"#,##0.0,,"M"',
    "busd": '"$"#,##0.0,,,"B"',
    "margin": '"$"#,##0.00;[Red]-"$"#,##0.00',
    "spread": '"spread "0.0',
    "hourly": '"at $"0.00" an hour"',
    "percent": "0.0%",
    "multiple": '#,##0.00"×"',
    "ratio": "0.000",
    "tokens": '#,##0.0,,,"B"',
    "ttokens": '#,##0.0,,,,"T"',
    "months": '#,##0.0" months"',
    "seconds": "0.000000",
    "date": "yyyy-mm-dd",
    "scientific": "0.000E+00",
    "limit": "General",
    "above": '"above "0.###;"above "-0.###',
    "below": '"below "0.###;"below "-0.###',
    # Anything that a check may compare, in a column of fixed width.
    "any": "[>=1000000000]0.00000E+00;[<=-1000000000]-0.00000E+00;#,##0.00",
}


def _font(**options: Any) -> Font:
    return Font(name=FONT, **{"size": 10, "color": INK, **options})


def _fill(colour: str) -> PatternFill:
    return PatternFill("solid", fgColor=colour)


def named_styles() -> dict[str, NamedStyle]:
    """Return a fresh set of the styles, by role (a style belongs to one workbook)."""
    left = Alignment(vertical="center")
    beside = Alignment(horizontal="left", vertical="center", indent=1)
    wrapped = Alignment(vertical="top", wrap_text=True)
    right = Alignment(horizontal="right", vertical="center")
    line = Border(bottom=_HAIR)
    roles: dict[str, dict[str, Any]] = {
        "title": {"font": _font(size=18, bold=True, color=ACCENT)},
        "subtitle": {"font": _font(size=11, color=MUTED, italic=True)},
        "heading": {
            "font": _font(size=12, bold=True, color=ACCENT),
            "border": Border(bottom=_THIN),
        },
        "header": {
            "font": _font(bold=True, color="FFFFFF"),
            "fill": _fill(ACCENT),
            "alignment": Alignment(horizontal="center", vertical="center", wrap_text=True),
        },
        "label": {"font": _font(), "alignment": left, "border": line},
        "paragraph": {"font": _font(), "alignment": wrapped},
        "note": {"font": _font(size=9, color=MUTED), "alignment": beside, "border": line},
        "wrapped": {
            "font": _font(size=9),
            "alignment": Alignment(vertical="center", wrap_text=True),
            "border": line,
        },
        "remark": {"font": _font(size=9, color=MUTED), "alignment": beside},
        "input": {
            "font": _font(color="0000FF"),
            "fill": _fill("FFF9DB"),
            "alignment": right,
            "border": line,
            "protection": Protection(locked=False),
        },
        "calc": {"font": _font(color="000000"), "alignment": right, "border": line},
        "words": {"font": _font(color="000000"), "alignment": beside, "border": line},
        "link": {"font": _font(color="007A33"), "alignment": right, "border": line},
        "name": {"font": _font(color="007A33"), "alignment": left, "border": line},
        "verdict": {
            "font": _font(bold=True, color="000000"),
            "alignment": Alignment(horizontal="center", vertical="center"),
            "border": line,
        },
        "output": {
            "font": _font(bold=True, color="000000"),
            "fill": _fill("E8F0FE"),
            "alignment": right,
            "border": line,
        },
        "check": {
            "font": _font(bold=True),
            "alignment": Alignment(horizontal="center", vertical="center"),
            "border": line,
        },
        "limit": {"font": _font(size=9, color=MUTED), "alignment": right, "border": line},
        "flag": {
            "font": _font(bold=True, size=9, color=MUTED),
            "alignment": left,
        },
    }
    return {
        role: NamedStyle(name=f"tokenbook {role}", **{"font": _font(), **parts})
        for role, parts in roles.items()
    }
