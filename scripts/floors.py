"""The floors of the house, from low to high, and who imports whom: checked, and drawn.

`python scripts/floors.py` writes the picture of docs/architecture.md. tests/test_floors.py holds
every import to the order that stands here: a floor knows itself and those below it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"

#: Each floor with what stands on it. The name of a package alone is its own `__init__`.
FLOORS: Mapping[str, str] = {
    "engine": "the cost model: NumPy in, NumPy out; its catalogues",
    "udfs.cells": "what a cell may hold; error values",
    "udfs.series": "dates and months as cells give them",
    "udfs.calls": "cells become arrays, and arrays cells",
    "udfs.declare": "a worksheet function from an engine function",
    "udfs.functions": "the worksheet functions, one line each",
    "udfs.versions": "which contract and data they compute with",
    "udfs.hosts": "Excel, Office.js, LibreOffice, native LAMBDAs",
    "udfs": "what a host sees",
    "workbooks": "the package alone",
    "workbooks.errors": "what ends a command, in one line",
    "workbooks.watch": "limits of time, signals",
    "workbooks.formula": "a formula's tree, references, names; the catalogue of native functions",
    "workbooks.ooxml": "the bytes of a file; understands no formula",
    "workbooks.supervise": "a job in a process of its own",
    "workbooks.workers": "tasks done by other processes, here or on other machines",
    "workbooks.calc": "the calculator behind one protocol",
    "workbooks.excel": "what Excel means where the calculator means something else",
    "workbooks.recalc": "from file to file",
    "workbooks.scenarios": "a workbook as a function of its inputs",
    "workbooks.review": "check, lint, second opinions",
    "workbooks.authoring": "from content to file",
    "workbooks.page": "a workbook as an HTML file that recalculates in a browser",
    "workbooks.reports": "what a simulation says, as tables or a workbook",
    "workbooks.templates": "what each template says",
    "workbooks.blocks": "the parts of plan, in a new workbook or added to one that stands",
    "workbooks.build": "a template becomes a file with values",
    "workbooks.pages": "the pages of the templates, ready with the release",
    "workbooks.cli": "the command",
}

Graph = Mapping[str, frozenset[str]]


def import_graph(root: Path = ROOT) -> dict[str, frozenset[str]]:
    """Return what each module imports of the others, inside functions too."""
    packages = dict.fromkeys(floor.partition(".")[0] for floor in FLOORS)
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    modules = {_module(path.relative_to(root)): path for path in paths}
    return {
        name: frozenset(_imported(name, path, modules)) - {name} for name, path in modules.items()
    }


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imported(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (_known(alias.name, modules) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                yield _known(f"{base}.{alias.name}", modules)


def _known(name: str, modules: Mapping[str, Path]) -> str:
    """Return the module of ours that holds a name; anything else's own first part."""
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def floor_of(module: str, floors: Iterable[str] = FLOORS) -> str:
    """Return the floor that a module stands on."""
    fitting = [f for f in floors if module == f or module.startswith(f + ".")]
    if not fitting:
        raise ValueError(f"{module} stands on no floor; give it one in scripts/floors.py")
    found = max(fitting, key=len)
    if found in ("udfs", "workbooks") and module != found:
        raise ValueError(f"{module} stands on no floor; give it one in scripts/floors.py")
    return found


def upward(graph: Graph) -> list[tuple[str, str]]:
    """Return the imports of a higher floor by a lower one."""
    order = {floor: height for height, floor in enumerate(FLOORS)}
    return [
        (module, other)
        for module, imported in graph.items()
        for other in sorted(imported & graph.keys())
        if order[floor_of(other)] > order[floor_of(module)]
    ]


def circles(graph: Graph) -> list[frozenset[str]]:
    """Return the sets of modules that import each other, by Tarjan's algorithm."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[frozenset[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in graph[module] & graph.keys():
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            place = stack.index(module)
            circle = frozenset(stack[place:])
            del stack[place:]
            if len(circle) > 1:
                found.append(circle)

    for module in graph:
        if module not in number:
            visit(module)
    return found


def stairs(graph: Graph) -> set[tuple[str, str]]:
    """Return which floor uses which; what follows from the others by a longer way is left out."""
    used: dict[str, set[str]] = {floor: set() for floor in FLOORS}
    for module, imported in graph.items():
        for other in imported & graph.keys():
            if floor_of(module) != floor_of(other):
                used[floor_of(module)].add(floor_of(other))
    reached: dict[str, set[str]] = {}
    for floor in FLOORS:
        below = used[floor]
        reached[floor] = below.union(*(reached[other] for other in below if other in reached))
    return {
        (floor, other)
        for floor, below in used.items()
        for other in below
        if not any(other in reached[between] for between in below - {other})
    }


# --- the picture ---------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _STEP, _LEFT, _TOP = 620, 30, 40, 20, 20
_COLOURS = {"engine": "#d9ead3", "udfs": "#fff2cc", "workbooks": "#dbe9f8"}


def picture(graph: Graph) -> str:
    """Return the floors one above the other, with an arrow to what each uses, as SVG."""
    shown = [f for f in reversed(list(FLOORS)) if f not in ("workbooks",)]
    top = {floor: _TOP + _STEP * place for place, floor in enumerate(shown)}
    right = _LEFT + _WIDTH
    height = _TOP * 2 + _STEP * len(shown)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right + 190} {height}" '
        'font-family="sans-serif" font-size="13">',
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for floor in shown:
        colour = _COLOURS[floor.partition(".")[0]]
        lines.append(
            f'<rect x="{_LEFT}" y="{top[floor]}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'fill="{colour}" stroke="#888"/>'
            f'<text x="{_LEFT + 10}" y="{top[floor] + 20}" font-weight="bold">{floor}</text>'
            f'<text x="{_LEFT + 165}" y="{top[floor] + 20}">{FLOORS[floor]}</text>'
        )
    for floor, other in sorted(stairs(graph)):
        if floor not in top or other not in top:
            continue
        start, end = top[floor] + 20, top[other] + 10
        bulge = right + 14 + 9 * (end - start) // _STEP * 2
        lines.append(
            f'<path d="M{right},{start} C{bulge},{start} {bulge},{end} {right},{end}" '
            'fill="none" stroke="#555" marker-end="url(#tip)"/>'
        )
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture(import_graph()), encoding="utf-8")
