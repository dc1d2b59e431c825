"""Why cells show error values: where each error begins, and what only follows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from workbooks.calc.protocol import Question, Value
from workbooks.excel.context import Fill, KeepOldValueError, Place, Spill
from workbooks.formula.address import MAX_ROW, Area, full_name
from workbooks.formula.tree import Call, Node, walk
from workbooks.recalc.causes import Causes, Failed, told_order, trace
from workbooks.recalc.failed import Extents, Found, failed_cells
from workbooks.recalc.filled import Master
from workbooks.recalc.job import Job
from workbooks.recalc.precedents import Form, Precedents, Window
from workbooks.recalc.report import Cause, CellProblem
from workbooks.recalc.searches import Searches
from workbooks.recalc.splice import Pending

# Asking a function again costs some milliseconds.
_EXPLAINED = 200
_OWN_COLUMN = re.compile(r"\bCOLUMN\(\)", re.IGNORECASE)
_SEARCHING = frozenset(("HLOOKUP", "INDEX", "LOOKUP", "MATCH", "VLOOKUP", "XLOOKUP", "XMATCH"))
_GENERAL = {
    "#NULL!": "the ranges have no cell in common",
    "#DIV/0!": "division by zero",
    "#VALUE!": "an argument is of the wrong kind",
    "#REF!": "a reference to cells that do not exist",
    "#NAME?": "a name that is not defined",
    "#NUM!": "a number that the function does not allow",
    "#N/A": "a value is not available",
    "#SPILL!": "cells in the way of the result are not empty",
    "#CALC!": "a calculation that has no result",
}


def explain(job: Job, pending: Sequence[Pending], extents: Mapping[str, Extents]) -> None:
    """Tell in the report where errors begin and why, and which cells follow.

    Parameters
    ----------
    job : Job
        The evaluated workbook; its calculator is not asked for values after this.
    pending : sequence of Pending
        Every formula in error.
    extents : mapping
        What array formulas fill, by sheet.
    """
    if not pending:
        return
    found = failed_cells(job, pending, extents)
    spills = {
        (sheet.casefold(), *place): area
        for sheet, areas in extents.items()
        for place, area in areas.items()
    }
    precedents = Precedents(job.pipeline, spills)
    causes = trace(found.cells, precedents, Searches(precedents, _reader(job)))
    names = [full_name(cell.sheet, cell.row, cell.column) for cell in found.cells]
    functions = [_function(form.tree, job) for form in causes.read]
    order = told_order(causes)
    found.known |= _asked(job, found, causes, functions, order)
    samples: dict[int, int] = {}
    for i in order:
        if i in found.known and causes.parents[i] < 0 and causes.forms[i] >= 0:
            samples.setdefault(int(causes.forms[i]), i)
    refused = {
        form: _refused(found.known[i], causes.read[form], job, precedents)
        for form, i in samples.items()
    }
    begun: dict[int, list[CellProblem]] = defaultdict(list)
    for i in order:
        cell, parent, form = found.cells[i], int(causes.parents[i]), int(causes.forms[i])
        function = functions[form] if form >= 0 else ""
        reason, window = found.known.get(i, ""), None
        if parent >= 0:
            reason = f"{cell.code} passed on from {names[parent]}"
        elif form in samples:
            window = refused[form]
            one = samples[form]
            reason = reason or f"probably as in {names[one]}: {found.known[one]}"
        if not reason:
            searched = cell.code == "#N/A" and function in _SEARCHING
            reason = "nothing of the kind is found" if searched else _GENERAL.get(cell.code, "")
        problem = CellProblem(
            names[i],
            function,
            cell.code,
            reason,
            names[causes.roots[i]],
            int(causes.followers[i]),
            "" if window is None else full_name(window.sheet, *window.area(*cell.base)[:2]),
        )
        if i < len(pending):
            job.report.errors.append(problem)
        # An error value that stands in a cell is only told of where something follows from it.
        if parent < 0 and (i < len(pending) or problem.followers):
            begun[form if form >= 0 else -1 - i].append(problem)
    job.report.causes = _causes(begun.values())


def _reader(job: Job) -> Callable[[str, Area], list[list[Value]]]:
    """Return what reads an area of a sheet, as far down as anything stands in it."""
    last_rows = {plan.info.name.casefold(): plan.last_row for plan in job.plans.values()}

    def read(sheet: str, area: Area) -> list[list[Value]]:
        bottom = max(area.top, min(area.bottom, last_rows.get(sheet.casefold(), MAX_ROW)))
        rows = job.calculator.values(sheet, *area._replace(bottom=bottom))
        return [[job.calculator.value(raw) for raw in row] for row in rows]

    return read


def _causes(begun: Iterable[Sequence[CellProblem]]) -> list[Cause]:
    """Return where errors begin, given the cells of each formula in which they do."""
    causes: list[Cause] = []
    by_input: dict[str, list[CellProblem]] = defaultdict(list)
    for problems in begun:
        first, inputs = problems[0], {one.input for one in problems}
        if inputs == {first.input} != {""}:
            by_input[first.input] += problems
            continue
        followers = sum(one.followers for one in problems)
        causes.append(Cause(*first[:4], first.address, len(problems) - 1, followers))
    for address, problems in by_input.items():
        followers = sum(one.followers for one in problems) + len(problems)
        first = problems[0]
        causes.append(Cause(address, *first[1:4], first.address, 0, followers))
    return sorted(causes, key=lambda cause: -cause.followers)


def _refused(reason: str, form: Form, job: Job, precedents: Precedents) -> Window | None:
    """Return the cell whose value a function of ours refuses; None where it is not certain.

    A reason begins with the name of the argument that it is about.
    """
    word = reason.split(" ", 1)[0]
    meant: set[Window | None] = set()
    for node in walk(form.tree) if form.tree is not None else ():
        function = job.functions.get(node.name) if isinstance(node, Call) else None
        if function is None or word not in function.parameters:
            continue
        assert isinstance(node, Call)
        number = function.parameters.index(word)
        given = number < len(node.arguments)
        meant.add(precedents.cell(node.arguments[number], form.place) if given else None)
    return meant.pop() if len(meant) == 1 else None


def _asked(
    job: Job, found: Found, causes: Causes, functions: Sequence[str], order: Sequence[int]
) -> dict[int, str]:
    """Return what functions of ours complain of where errors begin, by place.

    Where there are too many to be asked, one cell of each formula comes first.
    """
    wanted = [
        i
        for i in order
        if causes.parents[i] < 0
        and i not in found.known
        and causes.forms[i] >= 0
        and functions[causes.forms[i]] in job.own
    ]
    firsts = {int(causes.forms[i]): i for i in reversed(wanted)}
    wanted.sort(key=lambda i: firsts[int(causes.forms[i])] != i)
    answers: dict[int, str] = {}
    questions: dict[int, Question] = {}
    for i in wanted[:_EXPLAINED]:
        try:
            questions[i] = _question(job, found.cells[i])
        except KeepOldValueError as error:
            answers[i] = str(error)
    if questions:
        said = job.calculator.explain(list(questions.values()))
        answers |= dict(zip(questions, said, strict=True))
    return {i: reason for i, reason in answers.items() if reason}


def _function(tree: Node | None, job: Job) -> str:
    """Return the function that a formula is told by: one of ours, or its first."""
    functions = [n.name for n in walk(tree) if isinstance(n, Call)] if tree is not None else []
    ours = [name for name in functions if name in job.own]
    return (ours or functions or [""])[0]


def _question(job: Job, cell: Failed) -> Question:
    """Return a cell's formula as the calculator is asked about it."""
    source = cell.source
    assert source is not None
    place = Place(cell.sheet, cell.row, cell.column)
    if source.array:
        place = Place(cell.sheet, source.row, source.column)
        lowered = job.pipeline.text(source.text, place, _target(job, place))
    elif (source.row, source.column) == place[1:]:
        lowered = job.pipeline.text(source.text, place)
    else:
        tree = Master(source.text, source.row, source.column).at(place.row, place.column)
        lowered = job.pipeline.text_of_tree(tree, place)
    # It is asked in another column.
    lowered = _OWN_COLUMN.sub(str(place.column), lowered)
    return Question(*place[:2], lowered, (cell.row - place.row, cell.column - place.column))


def _target(job: Job, place: Place) -> Fill | Spill | None:
    """Return where the result of an array formula goes."""
    for plan in job.plans.values():
        for array in plan.arrays if plan.info.name == place.sheet else ():
            if (array.area.top, array.area.left) == place[1:]:
                if array.spill is None:
                    return Fill(array.area.rows, array.area.columns)
                return Spill(array.spill)
    return None
