# ruff: noqa: PLC0415  (a child process imports only what it measures)
"""What it costs to hold a file against the values that Excel saved before one input is set.

    python benchmarks/baseline.py DIR [--files N] [--rounds N] [--limit RATIO]

Of the largest workbooks of DIR, each is recalculated with one input set, as
`tokenbook recalc --set` does, with and without --no-baseline; taken in turn, in processes of their
own, the best of several rounds. What counts is processor time without imports. Exit code 1 where
the ratio of the sums is above the limit.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from excel_corpus import Saved, read

LIMIT = 1.6
_CELL = re.compile(r"(?<![\w!':$.\]])\$?([A-Z]{1,3})\$?([1-9][0-9]*)(?![\w(:!])")


def input_of(cells: dict[tuple[str, str], Saved]) -> tuple[str, float] | None:
    """Return a number that a formula of its own sheet refers to, and its address."""
    for (sheet, _), cell in cells.items():
        for column, row in _CELL.findall(cell.formula or ""):
            found = cells.get((sheet, f"{column}{row}"))
            if found is not None and found.formula is None and found.kind == "n":
                quoted = sheet.replace("'", "''")
                return f"'{quoted}'!{column}{row}", found.value
    return None


def child(path: str, out: str, address: str, value: str, baseline: str) -> None:
    """Recalculate once, and print the processor time [s]."""
    import time

    import workbooks.calc.formualizer
    import workbooks.recalc.run  # noqa: F401
    from workbooks.recalc import recalculate

    started = time.process_time()
    report = recalculate(
        path, out, set_values=[(address, float(value))], baseline=baseline == "with"
    )
    print(json.dumps([time.process_time() - started, report.evaluated, report.baseline]))


def measured(path: Path, folder: Path, address: str, value: float, how: str) -> tuple[float, int]:
    """Return the processor time of a process of its own, and the formulas it evaluated."""
    out = folder / f"out{path.suffix}"
    command = [sys.executable, __file__, "--child", str(path), str(out), address, str(value), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    out.unlink()
    seconds, evaluated, why = json.loads(done.stdout.strip().splitlines()[-1])
    if how == "with" and why:
        raise SystemExit(f"{path.name} is not held against its own values: {why}")
    return seconds, evaluated


def main() -> None:
    """Print a line for each workbook, and the ratio of the sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--files", type=int, default=10, help="so many of the largest")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=LIMIT, help="the highest ratio allowed")
    given = parser.parse_args()
    folder = given.folder / "files" if (given.folder / "files").is_dir() else given.folder
    paths = [p for p in folder.iterdir() if p.suffix.lower() in (".xlsx", ".xlsm")]
    paths.sort(key=lambda p: p.stat().st_size, reverse=True)
    sums = {"with": 0.0, "without": 0.0}
    taken = 0
    print("| workbook | formulas | with [s] | without [s] | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for path in paths:
            asked = input_of(read(path))
            if asked is None:
                print(f"| {path.name} | no formula refers to a number of its sheet | | | |")
                continue
            best: dict[str, float] = {}
            for _ in range(given.rounds):
                for how in sums:
                    seconds, formulas = measured(path, Path(name), asked[0], asked[1] * 1.01, how)
                    best[how] = min(seconds, best.get(how, seconds))
            ratio = best["with"] / best["without"]
            print(
                f"| {path.name} | {formulas:,} | {best['with']:.2f} | {best['without']:.2f} "
                f"| {ratio:.2f} |",
                flush=True,
            )
            for how, seconds in best.items():
                sums[how] += seconds
            taken += 1
            if taken == given.files:
                break
    ratio = sums["with"] / sums["without"]
    print(f"| sum of {taken} | | {sums['with']:.2f} | {sums['without']:.2f} | {ratio:.2f} |")
    if ratio > given.limit:
        raise SystemExit(f"the ratio is {ratio:.2f}; {given.limit} is allowed")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
