"""The page's script and Python show every number alike, in each format of the templates."""

from __future__ import annotations

import json
import math

from workbooks import templates
from workbooks.build import drafted
from workbooks.ooxml.package import Package
from workbooks.page.bundle import script
from workbooks.page.formats import shown
from workbooks.page.script import Script
from workbooks.page.styles import read_styles

#: Signs, halves that round up, what carries over, what is too large or too small, days.
NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -2.5, 0.005, 1.005, -1.005, 0.015, 0.045, 0.125,
    0.0005, 0.00049999, 9.995, 99.995, 0.99999, 999.5, 999.95, 999999.5, 1 / 3, -2 / 3, 1e-7, 1e-15,
    -1e-15, 1e-300, 1234.5, -1234.5, 123456.789, 1234567.895, 1e9, 2.5e12, -2.5e12, 99999999999.0,
    1e11, 1e15, 123456789012345680.0, 1e21, -1e300, 1.0, 59.0, 60.0, 61.0, 46204.0, 46204.75,
    46204.999999, 2958465.0, 2958466.0, -46204.0, math.nan, math.inf, -math.inf,
)  # fmt: skip
OTHERS = (
    "General", "0.0E+00", "##0.0E+0", "0.###", "#,##0.0,,", "# ?/?", "yyyy-mm-dd hh:mm:ss",
    "h:mm AM/PM", '[>=1000]#,##0,"k";[<0]-0.0;0.0', '0" a_b"', r"\#0", "mmm yyyy",
    "dddd, d mmmm yy", "@", "0;;", "#,##0_);(#,##0)", "[h]:mm:ss", "[hh]:mm", "[m]", "[mm]:ss",
    "[Red][s]", "d [$-409]h:mm", "mmmmm yy",
)  # fmt: skip


def formats() -> list[str]:
    found = dict.fromkeys(OTHERS)
    for name in templates.NAMES:
        with drafted(name) as draft, Package(draft) as package:
            found |= dict.fromkeys(style.format for style in read_styles(package))
    return list(found)


def test_numbers_are_shown_alike_by_the_script_and_by_python():
    told = formats()
    assert len(told) > 25
    written = [repr(number) if math.isfinite(number) else str(number) for number in NUMBERS]
    numbers = ",".join(written).replace("nan", "NaN").replace("inf", "Infinity")
    each = f"(format) => [{numbers}].map((number) => module_format.shown(number, format))"
    rows = f"JSON.stringify({json.dumps(told)}.map({each}))"
    theirs = json.loads(Script(script(("format.js",), {})).run(rows))
    differ = [
        (form, number, ours, found)
        for form, row in zip(told, theirs, strict=True)
        for number, found in zip(NUMBERS, row, strict=True)
        if (ours := shown(number, form)) != found
    ]
    assert differ == []


def test_hours_beyond_a_day_are_counted():
    assert [shown(1.5, f) for f in ("[h]:mm", "[m]", "[mm]:ss", "h:mm", "[hhh]")] == [
        "36:00", "2160", "2160:00", "12:00", "036"
    ]  # fmt: skip
