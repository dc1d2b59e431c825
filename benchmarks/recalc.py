# ruff: noqa: PLC0415  (a child process imports only what it measures)
"""Recalculation against its peers, measured in the same run.

    python benchmarks/recalc.py [all | start | command | file | million | blocks | sweep]

Each measurement is a process of its own, so that peak memory is its own; imports are not counted,
but by `start` and `command`, which run the command itself.
Peers are interleaved and the best of several runs is taken. LibreOffice (soffice) and the package
`formulas` are measured where they are installed.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

ROUNDS = 3


def make(path: Path, rows: int, formula: str, *, ids: bool = False) -> None:
    """Write three inputs and one formula a row."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    for r in range(1, rows + 1):
        first = "llama-3.1-8b" if ids else r * 0.01 + 1
        sheet.append([first, 1 + r % 256, 0.5 + r % 50 / 100, formula.format(r=r)])
    book.save(path)


def make_model(path: Path) -> None:
    """Write a model of 2,001 formulas that all depend on the three inputs."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"], sheet["A2"], sheet["A3"] = 3.0, 0.7, 2.5
    for r in range(1, 501):
        sheet.cell(r, 3, f"=TOK_COST_PER_MTOK($A$1*{1 + r / 100},{100 + r},$A$2)")
        sheet.cell(r, 4, f"=C{r}*{r}+$A$3")
        sheet.cell(r, 5, f"=IF(D{r}>$A$3,D{r}-C{r},0)")
        sheet.cell(r, 6, f"=SUM(C{r}:E{r})" + ("" if r == 1 else f"+F{r - 1}"))
    sheet["H1"] = "=F500"
    book.save(path)


# --- what a child process does ------------------------------------------------------------------


#: Seconds by the clock, and of processor time.
Times: TypeAlias = tuple[float, float]


def now() -> Times:
    return time.perf_counter(), time.process_time()


def since(started: Times) -> Times:
    return time.perf_counter() - started[0], time.process_time() - started[1]


def ours(path: str, out: str) -> Times:
    from workbooks.recalc import recalculate, setup_for

    setup_for()
    started = now()
    recalculate(path, out)
    return since(started)


def formualizer(path: str, out: str) -> Times:
    import formualizer as fz

    started = now()
    fz.recalculate_xlsx_file(path, output=out)
    return since(started)


def libreoffice(path: str, out: str) -> Times:
    with tempfile.TemporaryDirectory() as profile:
        command = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless"]
        # The first start of a fresh profile is not what is measured.
        subprocess.run([*command, "--terminate_after_init"], capture_output=True, check=False)
        started = now()
        subprocess.run(
            [*command, "--convert-to", "xlsx", "--outdir", str(Path(out).parent / "lo"), path],
            capture_output=True,
            check=True,
        )
        return since(started)


def formulas(path: str, _out: str) -> Times:
    import formulas as peer

    started = now()
    model = peer.ExcelModel().loads(path).finish()
    model.calculate()
    return since(started)


def sweep(path: str, out: str) -> Times:
    from workbooks.recalc import setup_for
    from workbooks.scenarios.sweep import sweep as run

    setup_for()
    scenarios = Path(out).with_suffix(".scenarios.csv")
    lines = [f"{2 + i / 1000},{0.3 + i / 2000},{1 + i / 500}" for i in range(1000)]
    scenarios.write_text("\n".join(["M!A1,M!A2,M!A3", *lines]) + "\n")
    started = now()
    run(path, scenarios, ["M!H1"], Path(out).with_suffix(".csv"))
    return since(started)


def recalculations(path: str, out: str) -> Times:
    """Return the time of 1,000 recalculations, measured on 20."""
    from workbooks.recalc import recalculate, setup_for

    setup_for()
    started = now()
    for i in range(20):
        inputs = [("M!A1", 2 + i / 20), ("M!A2", 0.3 + i / 40), ("M!A3", 1 + i / 10)]
        recalculate(path, out, set_values=inputs)
    wall, busy = since(started)
    return wall * 50, busy * 50


CHILDREN: dict[str, Callable[[str, str], Times]] = {
    f.__name__: f for f in (ours, formualizer, libreoffice, formulas, sweep, recalculations)
}


# --- the comparison -----------------------------------------------------------------------------


def measured(child: str, path: Path, folder: Path) -> tuple[float, float, float]:
    """Return seconds, peak megabytes and seconds of processor time of one run."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", child, str(path), str(folder / f"{child}.xlsx")],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, peak, busy = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds, peak, busy


def best(
    runs: dict[str, tuple[str, Path]], folder: Path, rounds: int = ROUNDS
) -> dict[str, tuple[float, float, float]]:
    """Measure several runs in turn; return best time, highest peak, least processor time."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (child, path) in runs.items():
            found[name].append(measured(child, path, folder))
    return {
        name: (min(s for s, _, _ in r), max(p for _, p, _ in r), min(b for _, _, b in r))
        for name, r in found.items()
    }


def line(text: str, value: float, wanted: str) -> None:
    print(f"  {text:<58} {value:8.2f}   wanted: {wanted}")


def file_to_file(folder: Path) -> None:
    print("100,000 cells, file to file")
    make(folder / "tok.xlsx", 100_000, "=TOK_COST_PER_MTOK(A{r},B{r},C{r})")
    make(folder / "native.xlsx", 100_000, "=A{r}/3600/B{r}/C{r}*1000000")
    found = best(
        {"ours": ("ours", folder / "tok.xlsx"), "peer": ("formualizer", folder / "native.xlsx")},
        folder,
        5,
    )
    for name, (seconds, peak, busy) in found.items():
        print(f"  {name}: {seconds:.2f} s, {busy:.2f} s of processor time, {peak:.0f} MB")
    line(
        "ours with TOK_ / formualizer's file recalculation, native",
        found["ours"][0] / found["peer"][0],
        "1 or less",
    )
    line("  the same in processor time", found["ours"][2] / found["peer"][2], "1 or less")
    # ABS is not computed by columns: every cell goes through the engine, and calls back.
    make(folder / "tok_abs.xlsx", 100_000, "=TOK_COST_PER_MTOK(ABS(A{r}),B{r},C{r})")
    make(folder / "native_abs.xlsx", 100_000, "=ABS(A{r})/3600/B{r}/C{r}*1000000")
    engine = best(
        {
            "ours": ("ours", folder / "tok_abs.xlsx"),
            "peer": ("formualizer", folder / "native_abs.xlsx"),
        },
        folder,
    )
    line(
        "  the same where the engine evaluates each cell",
        engine["ours"][0] / engine["peer"][0],
        "1 or less",
    )
    if shutil.which("soffice"):
        seconds, _, _ = measured("libreoffice", folder / "native.xlsx", folder)
        print(f"  LibreOffice: {seconds:.2f} s")
        line("LibreOffice, native / ours with TOK_", seconds / found["ours"][0], "4 or more")
    make(folder / "few.xlsx", 2_000, "=A{r}/3600/B{r}/C{r}*1000000")
    try:
        seconds, _, _ = measured("formulas", folder / "few.xlsx", folder)
    except subprocess.CalledProcessError:
        print("  formulas is not installed")
    else:
        print(f"  formulas: {seconds:.2f} s for 2,000 cells")
        line(
            "formulas / ours, for each cell",
            seconds / 2_000 / (found["ours"][0] / 100_000),
            "40 or more",
        )


def million(folder: Path) -> None:
    print("1,000,000 cells, file to file")
    make(folder / "tok.xlsx", 100_000, "=TOK_COST_PER_MTOK(A{r},B{r},C{r})")
    make(folder / "many.xlsx", 1_000_000, "=TOK_COST_PER_MTOK(A{r},B{r},C{r})")
    found = best(
        {"100,000": ("ours", folder / "tok.xlsx"), "1,000,000": ("ours", folder / "many.xlsx")},
        folder,
        2,
    )
    for name, (seconds, peak, busy) in found.items():
        print(f"  {name}: {seconds:.2f} s, {busy:.2f} s of processor time, {peak:.0f} MB")
    line("time of 1,000,000 / of 100,000", found["1,000,000"][0] / found["100,000"][0], "under 10")
    line("  the same in processor time", found["1,000,000"][2] / found["100,000"][2], "under 10")
    line("peak memory of 1,000,000 [MB]", found["1,000,000"][1], "under 700")
    make(folder / "abs.xlsx", 100_000, "=ABS(A{r})*B{r}")
    make(folder / "many_abs.xlsx", 1_000_000, "=ABS(A{r})*B{r}")
    few = measured("ours", folder / "abs.xlsx", folder)
    many = measured("ours", folder / "many_abs.xlsx", folder)
    line("time, where the engine evaluates each cell", many[0] / few[0], "under 10")
    line("  peak memory of 1,000,000 [MB]", many[1], "under 700")


def blocks(folder: Path) -> None:
    import udfs.functions  # noqa: F401
    from udfs.declare import registry

    print("20,000 cells of an expensive function and of a cheap one")
    if "TOK_THROUGHPUT" not in registry:
        print("  there is no serving estimate to measure")
        return
    make(folder / "cheap.xlsx", 20_000, "=TOK_COST_PER_MTOK(B{r},B{r},C{r})", ids=True)
    make(
        folder / "expensive.xlsx",
        20_000,
        '=TOK_THROUGHPUT(A{r},"h100_sxm",B{r},1024+C{r})',
        ids=True,
    )
    found = best(
        {
            "cheap": ("ours", folder / "cheap.xlsx"),
            "expensive": ("ours", folder / "expensive.xlsx"),
        },
        folder,
    )
    for name, (seconds, peak, busy) in found.items():
        print(f"  {name}: {seconds:.2f} s, {busy:.2f} s of processor time, {peak:.0f} MB")
    line("expensive / cheap", found["expensive"][0] / found["cheap"][0], "2 or less")


def sweeps(folder: Path) -> None:
    print("1,000 scenarios over a model of 2,001 formulas")
    make_model(folder / "model.xlsx")
    found = best(
        {
            "sweep": ("sweep", folder / "model.xlsx"),
            "single": ("recalculations", folder / "model.xlsx"),
        },
        folder,
    )
    for name, (seconds, _, _) in found.items():
        print(f"  {name}: {seconds:.2f} s")
    line("1,000 recalculations / sweep", found["single"][0] / found["sweep"][0], "20 or more")


def commands(runs: dict[str, list[str]], rounds: int) -> dict[str, Times]:
    """Run whole commands in turn; return the least seconds, and the least of processor time."""
    found: dict[str, list[Times]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True)
            wall = time.perf_counter() - started
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found[name].append((wall, busy))
    return {name: (min(w for w, _ in r), min(b for _, b in r)) for name, r in found.items()}


def _recalc(path: Path) -> list[str]:
    program = "from workbooks.cli import start; start()"
    return ["-c", program, "recalc", str(path), "-o", str(path.with_suffix(".out.xlsx"))]


def start(folder: Path) -> None:
    print("three cells by the command, imports counted")
    make(folder / "plain.xlsx", 3, "=A{r}+B{r}")
    make(folder / "own.xlsx", 3, "=TOK_COST_PER_MTOK(A{r},B{r},C{r})")
    runs = {
        "import of NumPy and the calculator": ["-c", "import numpy, formualizer"],
        "native formulas": _recalc(folder / "plain.xlsx"),
        "TOK_ functions": _recalc(folder / "own.xlsx"),
    }
    (_, (wall, busy)), *ours_found = commands(runs, 10).items()
    for name, (seconds, work) in ours_found:
        line(f"{name} / import of NumPy and the calculator", seconds / wall, "3.5 or less")
        line("  the same in processor time", work / busy, "3.5 or less")


def by_command(folder: Path) -> None:
    print("100,000 cells, file to file by the command, imports counted")
    make(folder / "tok.xlsx", 100_000, "=TOK_COST_PER_MTOK(A{r},B{r},C{r})")
    make(folder / "native.xlsx", 100_000, "=A{r}/3600/B{r}/C{r}*1000000")
    source, out = str(folder / "native.xlsx"), str(folder / "peer.xlsx")
    peer = f"import formualizer; formualizer.recalculate_xlsx_file({source!r}, output={out!r})"
    found = commands({"peer": ["-c", peer], "ours": _recalc(folder / "tok.xlsx")}, 5)
    (wall, busy), (seconds, work) = found["peer"], found["ours"]
    line("ours with TOK_ / formualizer's file recalculation", seconds / wall, "1 or less")
    line("  the same in processor time", work / busy, "1 or less")


PARTS = {
    "start": start,
    "command": by_command,
    "file": file_to_file,
    "million": million,
    "blocks": blocks,
    "sweep": sweeps,
}


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--child"]:
        seconds, busy = CHILDREN[arguments[1]](*arguments[2:])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([seconds, peak, busy]))
        return
    wanted = arguments or ["all"]
    for name, part in PARTS.items():
        if name in wanted or "all" in wanted:
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
