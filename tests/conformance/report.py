"""Write the table of what is verified where into README, from a run of all hosts.

`python tests/conformance/report.py`
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Python itself adds the folder of a script; what xlwings' hosts are made of lies beside it.
sys.path.append(str(Path(__file__).parents[1] / "udfs"))

from cases import Case, as_json, cases, difference, expected
from hosts import HOSTS

README = Path(__file__).parents[2] / "README.md"
_MARKED = re.compile(r"(?<=<!-- verified -->\n).*?(?=<!-- /verified -->)", re.DOTALL)
#: What nobody has run, told in the same table.
_UNSEEN = (
    "| Excel on Windows, classic xlwings | not run: no Excel was at hand |",
    "| Excel on Windows, Mac or the web, Office.js | not run: no Excel was at hand |",
)


def agreed(asked: Sequence[Case], answers: dict[str, Any]) -> int:
    """Return in how many cases a host answered as recorded."""
    wanted = expected()
    return sum(not difference(wanted[c.id], as_json(answers[c.id])) for c in asked)


def table(counts: dict[str, int], total: int) -> str:
    """Return the table of README from the number of agreeing cases by host."""
    rows = [f"| {host} | {count} of {total} cases |" for host, count in counts.items()]
    return "\n".join(("| where | result |", "|---|---|", *rows, *_UNSEEN)) + "\n"


def shown() -> str:
    """Return the table that README shows."""
    found = _MARKED.search(README.read_text(encoding="utf-8"))
    return found[0] if found else ""


def main() -> None:
    """Ask every host and write the table."""
    asked = list(cases())
    counts = {host: agreed(asked, ask(asked)) for host, ask in HOSTS.items()}
    text = table(counts, len(asked))
    README.write_text(_MARKED.sub(text, README.read_text(encoding="utf-8")), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
