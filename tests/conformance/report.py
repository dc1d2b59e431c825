"""Write docs/verified.md, what each host answers, from a run of all hosts.

`python tests/conformance/report.py`
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Python itself adds the folder of a script; what xlwings' hosts are made of lies beside it.
sys.path.append(str(Path(__file__).parents[1] / "udfs"))

from cases import Case, as_json, cases, difference, recorded
from hosts import HOSTS, missing

from udfs import registry

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "verified.md"
COMMAND = "python tests/conformance/report.py"
_HEAD = f"""# What is verified where

Written by `{COMMAND}`, which puts one set of cases for each function (blanks,
text, errors, domains, ranges) to every host. "yes": the same values to 1e-9 and the same errors in
every case; "kept": a host that has no such function keeps the value that the file holds. A function
that is not in the table was added after the last run. Excel itself was not run: none was at hand.

"""
_WINE = "\nNot run: Windows Python under Wine, for which there is no Windows Python to install.\n"


def wrong(asked: Sequence[Case], answers: dict[str, Any], function: str) -> dict[str, str]:
    """Return what differs from what is recorded for a function, by case."""
    wanted = recorded(function)["answers"]
    return {
        case.id: told
        for case in asked
        if case.function == function
        and (
            told := difference(wanted.get(case.id[len(function) + 1 :]), as_json(answers[case.id]))
        )
    }


def verdict(asked: Sequence[Case], answers: dict[str, Any], function: str) -> str:
    """Return what the page says of a function in a host."""
    if not has(asked, answers, function):
        return "kept"
    return "differs" if wrong(asked, answers, function) else "yes"


def has(asked: Sequence[Case], answers: dict[str, Any], function: str) -> bool:
    """Tell whether a host has a function at all; not every one can be a native LAMBDA."""
    return any(case.id in answers for case in asked if case.function == function)


def claims() -> dict[str, dict[str, str]]:
    """Return what the page says of each function, by host."""
    lines = [x for x in PAGE.read_text(encoding="utf-8").splitlines() if x.startswith("|")]
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {host: {row[0]: row[i] for row in rows} for i, host in enumerate(header) if i}


def main() -> None:
    """Ask every host that is here and write the page."""
    asked = list(cases())
    absent = {host: why for host in HOSTS if (why := missing(host))}
    answers = {host: ask(asked) for host, ask in HOSTS.items() if host not in absent}
    rows = [
        [name, *(verdict(asked, given, name) for given in answers.values())] for name in registry
    ]
    table = [["function", *answers], ["---"] * (len(answers) + 1), *rows]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in table)
    told = "".join(f"\nNot run on that machine: {host}, {why}.\n" for host, why in absent.items())
    PAGE.write_text(_HEAD + lines + told + _WINE, encoding="utf-8")
    for host, given in answers.items():
        count = sum(verdict(asked, given, name) == "yes" for name in registry)
        print(f"{host}: {count} of {len(registry)} functions alike in every case")


if __name__ == "__main__":
    main()
