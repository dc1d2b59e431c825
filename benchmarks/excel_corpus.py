# ruff: noqa: PLC0415  (a child process imports only what it measures)
"""Recalculation held to the values that Excel saved, beside its peers: a league table.

    python benchmarks/excel_corpus.py DIR [--only NAME]... [--sample N] [--cells FILE]

DIR holds workbooks that Excel saved (.xlsx, .xlsm, .xltx). Each is recalculated as it stands, in a
process of its own with a time limit, and every formula cell that Excel left a value in is compared.
Cells that hang on RAND, NOW and the like are left out: they come out otherwise with another seed
and clock. `--cells` lists each cell that differs, one JSON object a line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeAlias

from lxml import etree

LIMIT = 120.0
#: Files that LibreOffice is handed at once; its start takes longer than most of them.
BATCH = 25
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
VOLATILE = re.compile(r"\b(RAND|RANDBETWEEN|RANDARRAY|NOW|TODAY)\s*\(", re.IGNORECASE)
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: Cells that hang on chance or on the clock differ between some two of these.
DRAWS = [(11, "2011-02-03T04:05"), (12, "2019-11-30T16:45"), (13, "2031-07-08T21:30")]
SAME, NEAR, NOTHING = 1e-12, 1e-9, 1e-9

#: What becomes of a cell, in the order of the table, and whether nothing tells the reader.
CLASSES = {
    "alike": "the value that Excel saved, to 1e-12",
    "alike to 1e-9": "a number that differs from the 12th digit on",
    "listed": "not reproduced, but listed with Excel's value",
    "kept": "not evaluated: Excel's value stays, and the cell is listed",
    "silently wrong": "another value, and nothing tells so",
    "error for a value": "an error value where Excel has a value",
    "another error": "another error value than Excel has",
    "refused": "the whole file was refused, crashed or took too long",
}

Address: TypeAlias = tuple[str, str]


class Saved(NamedTuple):
    """A cell of a file: its type in one letter (n, s, b, e or none), its value, its formula."""

    kind: str
    value: Any
    formula: str | None


# --- reading ------------------------------------------------------------------------------------


def read(path: Path) -> dict[Address, Saved]:
    """Return the cells of a workbook, by sheet and address."""
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        strings = _strings(package) if "xl/sharedStrings.xml" in names else []
        return {
            (sheet, address): cell
            for sheet, part in _sheets(package)
            if part in names
            for address, cell in _cells(package, part, strings)
        }


def _xml(package: zipfile.ZipFile, part: str) -> Any:
    return etree.fromstring(package.read(part), PARSER)


def _local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _sheets(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    targets = {}
    for relation in _xml(package, "xl/_rels/workbook.xml.rels"):
        target = relation.get("Target", "")
        whole = target[1:] if target.startswith("/") else f"xl/{target}"
        targets[relation.get("Id")] = str(PurePosixPath(whole))
    for element in _xml(package, "xl/workbook.xml").iter():
        if _local(element) == "sheet":
            link = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            if "worksheet" in targets.get(link, ""):
                yield element.get("name"), targets[link]


def _text(element: Any) -> str:
    """Return the text of an item, its phonetic reading apart."""
    inner = [n for n in element.iter() if _local(n) == "t"]
    shown = [n.text or "" for n in inner if _local(n.getparent()) != "rPh"]
    return _unescaped("".join(shown))


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\r\n", "\n")


def _strings(package: zipfile.ZipFile) -> list[str]:
    return [_text(item) for item in _xml(package, "xl/sharedStrings.xml") if _local(item) == "si"]


def _cells(package: zipfile.ZipFile, part: str, strings: list[str]) -> Iterator[tuple[str, Saved]]:
    shared: dict[str, str] = {}
    for cell in _xml(package, part).iter("{*}c"):
        inner = {_local(child): child for child in cell}
        formula = inner.get("f")
        text = None if formula is None else formula.text or ""
        if formula is not None and formula.get("t") == "shared":
            text = shared.setdefault(formula.get("si", ""), text or "")
        yield cell.get("r", "?"), Saved(*_value(cell.get("t", "n"), inner, strings), text)


def _value(kind: str, inner: dict[str, Any], strings: list[str]) -> tuple[str, Any]:
    raw = None if inner.get("v") is None else inner["v"].text or ""
    if kind == "inlineStr" and "is" in inner:
        return "s", _text(inner["is"])
    if raw is None or (raw == "" and kind != "str"):
        return "", None
    match kind:
        case "s":
            return "s", strings[int(raw)]
        case "b":
            return "b", raw.strip() in ("1", "true")
        case "e":
            return "e", raw.strip()
        case "n":
            return "n", float(raw)
    return "s", _unescaped(raw)


# --- comparing ----------------------------------------------------------------------------------


def judged(excel: Saved, ours: Saved | None) -> str:
    """Return the class of a value beside Excel's, before it is asked whether it was told."""
    if ours is None or not ours.kind:
        return "alike" if excel.value == "" else "silently wrong"
    if excel.kind == ours.kind == "n":
        a, b = excel.value, ours.value
        if a == b or math.isclose(a, b, rel_tol=SAME):
            return "alike"
        near = math.isclose(a, b, rel_tol=NEAR) or abs(a - b) < NOTHING
        return "alike to 1e-9" if near else "silently wrong"
    if excel[:2] == ours[:2]:
        return "alike"
    if ours.kind == "e":
        return "another error" if excel.kind == "e" else "error for a value"
    return "silently wrong"


@dataclass(slots=True)
class Run:
    """What came of one file: why it failed, and the cells that the program told of."""

    failed: str = ""
    kept: set[Address] = field(default_factory=set)
    listed: set[Address] = field(default_factory=set)


def classified(
    excel: dict[Address, Saved], out: Path, run: Run, shaky: set[Address]
) -> dict[Address, tuple[str, Saved | None]]:
    """Return the class of each formula cell that Excel left a value in, with the new value."""
    wanted = {a: c for a, c in excel.items() if c.formula is not None and c.kind and a not in shaky}
    if run.failed or not out.exists():
        return dict.fromkeys(wanted, ("refused", None))
    new = read(out)
    found = {}
    for address, cell in wanted.items():
        kind = judged(cell, new.get(address))
        if address in run.listed:
            kind = "listed"
        elif address in run.kept:
            kind = "kept"
        found[address] = kind, new.get(address)
    return found


# --- what a child process does ------------------------------------------------------------------


def ours(path: str, out: str, options: str) -> None:
    from datetime import datetime

    from workbooks.formula.address import split_sheet
    from workbooks.recalc import recalculate

    given = json.loads(options or "{}")
    clock = datetime.fromisoformat(given.pop("clock")) if "clock" in given else None
    report = recalculate(path, out, clock=clock, **given)
    told = {
        "kept": [split_sheet(c.address) for c in report.unevaluated],
        "listed": [split_sheet(c.address) for c in report.unreproduced],
    }
    print(json.dumps(told))


def formualizer(path: str, out: str, _options: str) -> None:
    import formualizer as fz

    fz.recalculate_xlsx_file(path, output=out)


def ironcalc(path: str, out: str, _options: str) -> None:
    import ironcalc as peer

    model = peer.load_from_xlsx(path, "en", "UTC", "en")
    model.evaluate()
    model.save_to_xlsx(out)


CHILDREN = {f.__name__: f for f in (ours, formualizer, ironcalc)}
#: What is compared: title, and how it is run.
PROGRAMS = {
    "tokenbook": ("ours", {"baseline": True}),
    "tokenbook --no-baseline": ("ours", {"baseline": False}),
    "LibreOffice": ("libreoffice", {}),
    "IronCalc": ("ironcalc", {}),
    "formualizer alone": ("formualizer", {}),
}


def apart(child: str, path: Path, out: Path, options: dict[str, Any], limit: float) -> Run:
    """Recalculate a file in a process of its own."""
    command = [sys.executable, __file__, "--child", child, str(path), str(out), json.dumps(options)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Run(failed=f"more than {limit:.0f} s")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        return Run(failed=lines[-1][:200])
    # What a peer prints is no report.
    told = json.loads(done.stdout.strip().splitlines()[-1]) if child == "ours" else {}
    return Run(**{name: {(s, a) for s, a in cells} for name, cells in told.items()})


def in_calc(paths: list[Path], folder: Path, limit: float) -> dict[Path, Path]:
    """Have LibreOffice compute files anew; return where the results are."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user/registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items '
        'xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load">'
        '<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>'
    )
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder)]
    found = {path: folder / f"{path.stem}.xlsx" for path in paths}
    # What does not come within the time is missing, and told.
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [*command, *map(str, paths)],
            capture_output=True,
            timeout=limit * max(1, len(paths) / 5),
            check=False,
        )
    missing = [path for path, out in found.items() if not out.exists()]
    if len(paths) > 1:
        for path in missing:
            found |= in_calc([path], folder, limit)
    return found


# --- the league table ---------------------------------------------------------------------------


def shaky_cells(
    path: Path, excel: dict[Address, Saved], folder: Path, limit: float
) -> set[Address]:
    """Return the cells that hang on chance or on the clock."""
    direct = {a for a, c in excel.items() if c.formula and VOLATILE.search(c.formula)}
    if not direct:
        return set()
    seen: list[dict[Address, Saved]] = []
    for seed, clock in DRAWS:
        out = folder / f"draw-{seed}{path.suffix}"
        run = apart("ours", path, out, {"baseline": False, "seed": seed, "clock": clock}, limit)
        if not run.failed:
            seen.append(read(out))
            out.unlink()
    nothing = Saved("", None, None)
    return direct | {
        address for address in excel if len({cells.get(address, nothing)[:2] for cells in seen}) > 1
    }


def table(counts: dict[str, Counter[str]], files: int) -> Iterator[str]:
    """Yield the lines of the league table."""
    cells = max((sum(count.values()) for count in counts.values()), default=0)
    yield f"{files} workbooks that Excel wrote, {cells:,} formulas with a value"
    yield ""
    yield "| of 1,000 formulas | " + " | ".join(CLASSES) + " |"
    yield "|---" * (len(CLASSES) + 1) + "|"
    for name, count in counts.items():
        yield f"| {name} | " + " | ".join(_share(count[kind], cells) for kind in CLASSES) + " |"
    yield ""
    for name, count in counts.items():
        yield f"{name}: " + ", ".join(f"{kind} {count[kind]:,}" for kind in CLASSES)


def _share(count: int, cells: int) -> str:
    return "0" if not count else f"{1000 * count / cells:.2f}"


def league(
    paths: list[Path], programs: Iterable[str], limit: float, cells: Path | None
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Return how many cells of each class every program has, and what failed."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in programs}
    failures: list[str] = []
    lines = cells.open("w") if cells else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calc: dict[Path, Path] = {}
        for i, path in enumerate(paths):
            print(f"{i + 1} of {len(paths)}: {path.name}", file=sys.stderr)
            if "LibreOffice" in counts and i % BATCH == 0:
                calc = in_calc(paths[i : i + BATCH], folder / "calc", limit)
            excel = read(path)
            shaky = shaky_cells(path, excel, folder, limit)
            for program, count in counts.items():
                child, options = PROGRAMS[program]
                out = calc[path] if child == "libreoffice" else folder / f"out{path.suffix}"
                if child == "libreoffice":
                    run = Run(failed="" if out.exists() else "nothing within the time")
                else:
                    run = apart(child, path, out, options, limit)
                if run.failed:
                    failures.append(f"{path.name}: {program}: {run.failed}")
                for (sheet, address), (kind, new) in classified(excel, out, run, shaky).items():
                    count[kind] += 1
                    if lines and kind not in ("alike", "kept"):
                        old = excel[sheet, address]
                        told = [path.name, program, kind, f"{sheet}!{address}"]
                        told += [old.formula, old.value, new and new.value]
                        lines.write(json.dumps(told) + "\n")
                out.unlink(missing_ok=True)
    if lines:
        lines.close()
    return counts, failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--only", action="append", help="ours, or the name of a program")
    parser.add_argument("--sample", type=int, help="so many workbooks, drawn by chance")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for each workbook")
    parser.add_argument("--cells", type=Path, help="list the cells that differ here")
    given = parser.parse_args()
    folder = given.folder / "files" if (given.folder / "files").is_dir() else given.folder
    paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in (".xlsx", ".xlsm", ".xltx")]
    if given.sample and given.sample < len(paths):
        paths = sorted(random.Random(0).sample(paths, given.sample))
    wanted = [name.casefold() for name in given.only or []]
    programs = [
        name
        for name, (child, _) in PROGRAMS.items()
        if (not wanted or child in wanted or name.casefold() in wanted)
        and (child != "libreoffice" or shutil.which("soffice"))
    ]
    counts, failures = league(paths, programs, given.limit, given.cells)
    print("\n".join([*table(counts, len(paths)), *failures]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        CHILDREN[sys.argv[2]](*sys.argv[3:])
    else:
        main()
