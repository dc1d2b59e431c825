"""Write docs/excel-functions.md: what becomes of each native function of Excel, and why.

`python scripts/excel_functions.py`. The page is made from the catalogue that the recalculation
itself reads; tests/test_excel_functions.py says when it is no longer up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from workbooks.excel.runtime.registry import ANSWERS
from workbooks.formula.functions import Native, catalogue

PAGE = Path(__file__).parents[1] / "docs" / "excel-functions.md"
_HEAD = """\
# Excel's functions in a recalculation

What `tokenbook recalc` makes of Excel's own functions. This page is written by
`python scripts/excel_functions.py` from the catalogue that the recalculation reads,
[functions.csv](../workbooks/formula/functions.csv); do not edit it by hand.

| what is done | functions | meaning |
|---|---:|---|
| native | {native} | the calculator's own function is used as it is |
| rewritten | {rewritten} | the call is first put so that the calculator gives what Excel does |
| replaced | {replaced} | a function of Tokenbook answers in the place of the calculator's own |
| refused | {refused} | the cell keeps its old value, and the report lists it with the reason |

A function that stands nowhere here is handed to the calculator where it has it; where it has not,
the cell keeps its old value and is listed as "unknown function". Whatever the function, ranges in
the place of single values, arrays of different sizes, names, tables and hidden rows are put in
terms that the calculator gets right; [architecture.md](architecture.md) tells how.
"""


def page() -> str:
    """Return the page."""
    rows = [row for row in catalogue().values() if not row.name.startswith("TB.")]
    by: dict[str, list[Native]] = {"native": [], "pass": [], "runtime": [], "refused": []}
    for row in sorted(rows, key=lambda row: row.name):
        by[row.handled.partition(" ")[0]].append(row)
    parts = [
        _HEAD.format(
            native=len(by["native"]),
            rewritten=len(by["pass"]),
            replaced=len(by["runtime"]),
            refused=len(by["refused"]),
        )
    ]
    parts.append("\n## Refused\n\n| function | why |\n|---|---|\n")
    parts += [f"| {row.name} | {row.why} |\n" for row in by["refused"]]
    parts.append("\n## Rewritten\n\n| function | by the pass | why |\n|---|---|---|\n")
    parts += [f"| {row.name} | {_pass(row)} | {row.why} |\n" for row in by["pass"]]
    parts.append("\n## Replaced\n\n| function | answered by | why |\n|---|---|---|\n")
    parts += [f"| {row.name} | {_answer(row.name)} | {row.why} |\n" for row in by["runtime"]]
    parts.append("\n## Native\n\n" + _listed(row.name for row in by["native"] if row.known))
    parts.append(
        "\nWhere one of these is handed an array in the place of a single value, the cell keeps\n"
        "its old value:\n\n"
    )
    parts.append(_listed(row.name for row in by["native"] if not row.known))
    return "".join(parts)


def _pass(row: Native) -> str:
    module = row.handled.removeprefix("pass ")
    return f"[{module}](../workbooks/excel/passes/{module}.py)"


def _answer(name: str) -> str:
    module = ANSWERS[name].function.__module__.rpartition(".")[2]
    return f"[{module}](../workbooks/excel/runtime/{module}.py)"


def _listed(names: Iterable[str]) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > 96:
            lines.append(line)
            line = ""
        line += f"{name}, "
    return "\n".join(text.rstrip() for text in [*lines, line]).rstrip(", ") + ".\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
