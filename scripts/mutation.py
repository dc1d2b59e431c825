"""The work of `scripts/mutants`: draws mutants, has them tried, and says what no test noticed.

Neither mutmut nor cosmic-ray draws a sample by a seed and runs for each mutant only the tests that
reach its line; a sample has to be small enough to be run, and the same for whoever runs it.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mutation_kinds import Mutant, mutants

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "mutants"
ANSWERS = FOLDER / "answers.jsonl"
#: Mutants that change no value, each with why.
EQUIVALENT = ROOT / "scripts" / "equivalent_mutants.csv"
#: What is changed, and the tests that may notice; each part of the map is a process of its own.
CHANGED = ("workbooks/excel", "workbooks/recalc")
PARTS = (
    "tests/workbooks/excel",
    "tests/workbooks/formula",
    "tests/workbooks/recalc",
    "tests/workbooks/calc",
    "tests/workbooks/review",
    "tests/workbooks/cli",
    "tests/workbooks/faults/test_isolation.py",
)
#: Tests that need other programs or too long say nothing here.
LEFT_OUT = "not (libreoffice or chromium or ooxml or long)"
#: An exception put into another thread while it notes lines leaves a lock behind.
UNMAPPED = "not in_another_thread"
#: How many mutants have to be noticed [-], and how long the tests of one may take [s].
WANTED = 0.85
LONGEST = 20.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Which tests reach each line of a file, and how long each takes [s]."""

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Return the tests of a mutant, fastest first, as many as there is time for.

        For what an import does, those in the folder of the module's own tests come before all.
        """
        lines = self.lines.get(mutant.path, {})
        if mutant.inside:
            span = range(mutant.line, mutant.last + 1)
            found = frozenset().union(*(lines.get(line, frozenset()) for line in span))
        else:
            # What an import does reaches every test of the module.
            found = frozenset().union(*lines.values())
        left = LONGEST
        chosen: list[str] = []
        beside = mutant.path.replace("workbooks", "tests/workbooks", 1).rpartition("/")[0]
        far = {name: not mutant.inside and not name.startswith(beside) for name in found}
        for test in sorted(found, key=lambda name: (far[name], self.seconds[name], name)):
            left -= self.seconds[test]
            if left < 0 and chosen:
                break
            chosen.append(test)
        return chosen


def pytest(work: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """Run pytest with the plugin."""
    path = os.pathsep.join([str(ROOT / "scripts"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    told = {"TOKENBOOK_MUTANTS": json.dumps(work), "PYTHONPATH": path}
    options = ["-q", "-p", "mutation_plugin", "-p", "no:cacheprovider", "-n0", "-m", LEFT_OUT]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *options,
            "-n0",
            "-m",
            LEFT_OUT,
            "-k",
            UNMAPPED,
            *arguments,
        ],
        cwd=ROOT,
        env=os.environ | told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 5):
        sys.exit(f"pytest {' '.join(arguments)[:200]}\n{done.stdout[-3000:]}")


def draw_map() -> None:
    """Note which test reaches which line, a test file at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        whole = ROOT / part
        for path in [whole] if whole.is_file() else sorted(whole.rglob("test_*.py")):
            name = str(path.relative_to(ROOT))
            flat = name.removesuffix(".py").replace("/", ".")
            if (FOLDER / f"{flat}.json").exists():
                continue
            print(name, flush=True)
            try:
                pytest({"map": flat, "folder": str(FOLDER)}, [name])
            except SystemExit as failure:
                # A test that fails already notices every mutant.
                print(f"left out, for it fails: {failure}")
                for half in (f"{flat}.json", f"{flat}.coverage"):
                    (FOLDER / half).unlink(missing_ok=True)


def read_map() -> Reach:
    """Read what `map` noted."""
    from coverage import CoverageData  # noqa: PLC0415  (the rest runs without)

    seconds: dict[str, float] = {}
    lines: dict[str, dict[int, set[str]]] = {}
    for times in sorted(FOLDER.glob("*.json")):
        seconds |= json.loads(times.read_text(encoding="utf-8"))
        data = CoverageData(str(times.with_suffix(".coverage")))
        data.read()
        for path in data.measured_files():
            known = lines.setdefault(str(Path(path).relative_to(ROOT)), {})
            for line, tests in data.contexts_by_lineno(path).items():
                known.setdefault(line, set()).update(test for test in tests if test)
    if not seconds:
        sys.exit("There is no map of the tests yet: scripts/mutants map")
    return Reach(
        {p: {n: frozenset(t) for n, t in found.items()} for p, found in lines.items()}, seconds
    )


def all_mutants(files: Iterable[str] = ()) -> list[Mutant]:
    """Return every mutant of some files, or of all that are changed.

    A file may be given with one of its lines: `FILE:12`.
    """
    paths = list(files) or [
        str(path.relative_to(ROOT))
        for folder in CHANGED
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    return [
        mutant
        for path, _, line in (path.partition(":") for path in paths)
        for mutant in mutants(ROOT, path)
        if not line or mutant.line == int(line)
    ]


def equivalent(mutant: Mutant) -> bool:
    """Tell whether a mutant is listed as one that changes nothing, and why."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8").splitlines()[mutant.line - 1]
    return (mutant.path, source.strip(), mutant.what) in _listed()


@cache
def _listed() -> frozenset[tuple[str, str, str]]:
    with EQUIVALENT.open(encoding="utf-8", newline="") as file:
        return frozenset((r["path"], r["line"], r["change"]) for r in csv.DictReader(file))


def attempt(drawn: Sequence[Mutant], reach: Reach) -> dict[Mutant, str]:
    """Return of each mutant which test noticed it, or nothing."""
    answers = FOLDER / "part.jsonl"
    jobs: list[dict[str, Any]] = [
        {
            "mutant": asdict(mutant),
            "imported": not mutant.inside,
            "tests": tests,
            "seconds": sum(reach.seconds[test] for test in tests),
        }
        for mutant in drawn
        if (tests := reach.tests(mutant))
    ]
    found = dict.fromkeys(drawn, "")
    inside = [job for job in jobs if not job["imported"]]
    for batch in [*([inside] if inside else []), *([job] for job in jobs if job["imported"])]:
        answers.unlink(missing_ok=True)
        file = FOLDER / "jobs.jsonl"
        file.write_text(json.dumps(batch), encoding="utf-8")
        files = sorted({test.partition("::")[0] for job in batch for test in job["tests"]})
        if batch[0]["imported"]:
            files = _files_within(batch[0]["tests"], files)
        try:
            pytest({"jobs": str(file), "answers": str(answers)}, files)
        except SystemExit as failure:
            if not batch[0]["imported"]:
                raise
            if "no longer in the file" in str(failure):
                raise
            # The module could not be imported at all.
            found[Mutant(**batch[0]["mutant"])] = f"not imported: {str(failure)[-80:]!r}"
            continue
        for line in answers.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line)
            found[Mutant(**answer["mutant"])] = answer["noticed"]
            print("." if answer["noticed"] else "S", end="", flush=True)
    print()
    return found


def _files_within(tests: Sequence[str], files: Sequence[str]) -> list[str]:
    chosen = {test.partition("::")[0] for test in tests}
    return [file for file in files if file in chosen]


def report(found: Mapping[Mutant, str], reach: Reach, sought: int) -> int:
    """List what nobody noticed; return 0 where enough was."""
    missed = [mutant for mutant, noticed in found.items() if not noticed]
    for mutant in sorted(missed, key=str):
        tests = reach.tests(mutant)
        why = f"{len(tests)} tests reach it" if tests else "no test reaches it"
        source = (ROOT / mutant.path).read_text(encoding="utf-8").splitlines()[mutant.line - 1]
        print(f"{mutant}; {why}\n    {source.strip()}")
    share = 1 - len(missed) / len(found) if found else 0.0
    print(f"{len(found) - len(missed)} of {len(found)} mutants noticed: {share:.1%}")
    print(f"drawn from {sought:,}")
    with ANSWERS.open("w", encoding="utf-8") as out:
        for mutant, noticed in found.items():
            out.write(json.dumps({"mutant": asdict(mutant), "noticed": noticed}) + "\n")
    return 0 if share >= WANTED else 1


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for."""
    if arguments[0] == "map":
        draw_map()
        return 0
    reach = read_map()
    if arguments[0] == "again":
        answers = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
        before = {Mutant(**a["mutant"]): a["noticed"] for a in answers}
        missed = [mutant for mutant, noticed in before.items() if not noticed]
        return report(before | attempt(missed, reach), reach, len(before))
    files = [a for a in arguments[1:] if ".py" in a]
    numbers = [int(a) for a in arguments[1:] if ".py" not in a]
    count, seed = numbers[0] if numbers else 200, numbers[1] if len(numbers) > 1 else 0
    found = all_mutants(files)
    everything = [mutant for mutant in found if not equivalent(mutant)]
    drawn = random.Random(seed).sample(everything, min(count, len(everything)))
    return report(attempt(drawn, reach), reach, len(everything))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
