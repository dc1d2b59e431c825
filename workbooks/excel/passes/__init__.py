"""Rewriting rules, a file each: from a formula of Excel to one that the calculator gets right.

A rule takes a tree and gives a tree, the very same one where it has nothing to do. `PASSES` is the
order. To add one, write its module and its fixture (`tests/workbooks/excel/passes/fixtures`), and
put it here, with the reason for its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from workbooks.excel.context import Context
from workbooks.excel.marks import Marks
from workbooks.excel.passes import (
    aggregates,
    arguments,
    array_sizes,
    asked_errors,
    branches,
    broadcast,
    calls,
    criteria,
    fifteen_digits,
    hidden_rows,
    intersection,
    lambdas,
    left_out,
    long_texts,
    lookups,
    names,
    notation,
    numbers_in_texts,
    parts,
    positions,
    powers,
    references,
    result,
    single_errors,
    spills,
    tables,
    text_formats,
    unsupported,
)
from workbooks.formula.tree import Node


class Pass(Protocol):
    """A rewriting rule.

    `concerns` are the marks of which a formula must have one, for the rule to do anything to it; it
    is not asked about the others. `row_dependent` says that what it does may differ from row to
    row of a formula that is filled down; a rule that is not may not ask for a row number.
    `in_names` says that it is applied to the formulas of defined names too, which are written out
    before what follows it is done.
    """

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def concerns(self) -> Marks:
        """What makes a formula its concern."""

    @property
    def row_dependent(self) -> bool:
        """Whether what it does may differ from row to row."""

    @property
    def in_names(self) -> bool:
        """Whether it is applied to the formulas of names."""

    def __call__(self, tree: Node, context: Context) -> Node:
        """Return the formula rewritten, or the very tree that was given."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pass that is a function."""

    name: str
    apply: Callable[[Node, Context], Node]
    concerns: Marks
    row_dependent: bool = False
    in_names: bool = True

    def __call__(self, tree: Node, context: Context) -> Node:
        """Return the formula rewritten."""
        return self.apply(tree, context)


PASSES: tuple[Pass, ...] = (
    # Ranges turned round first: what follows compares their corners.
    Rule("ranges in order", notation.in_order, notation.RANGES, row_dependent=True),
    # A range of one cell is that cell to all rules.
    Rule("one cell", notation.one_cell, notation.OF_SEVERAL),
    # A table is found by its name, before names are looked up.
    Rule("tables", tables.apply, tables.CONCERNS, row_dependent=True),
    # An operator that becomes a call, before the calls are looked at.
    Rule("powers", powers.apply, powers.CONCERNS),
    # The workbook's own functions, before it is asked which are known.
    Rule("lambdas", lambdas.apply, lambdas.CONCERNS, row_dependent=True),
    # What is left out, before the calls of our own functions note it.
    Rule("left out", left_out.apply, left_out.CONCERNS),
    # What no rule is asked about: functions that nobody knows, other workbooks.
    Rule("calls", calls.apply, calls.CONCERNS),
    Rule("unsupported", unsupported.apply, unsupported.CONCERNS),
    # Names after the calls around them are known, so that an error says which came first.
    Rule("names", names.apply, names.CONCERNS, row_dependent=True),
    # A spill that stays is a range from here on.
    Rule("kept spills", spills.apply, spills.CONCERNS, row_dependent=True),
    # Arguments and single functions, as long as they are what the user wrote.
    Rule("parts", parts.apply, parts.CONCERNS),
    Rule("arguments", arguments.apply, arguments.CONCERNS),
    Rule("text formats", text_formats.apply, text_formats.CONCERNS),
    Rule("lookups", lookups.apply, lookups.CONCERNS),
    # Ranges as they are written, before unions and hidden rows change them.
    Rule("criteria", criteria.apply, criteria.CONCERNS),
    # Unions and several sheets become arguments, which the rules on hidden rows go through.
    Rule("references", references.apply, references.CONCERNS, row_dependent=True),
    # By the number of the function, which only then may change its name.
    Rule("hidden rows", hidden_rows.apply, hidden_rows.CONCERNS, row_dependent=True),
    Rule("aggregates", aggregates.apply, aggregates.CONCERNS),
    Rule("positions", positions.apply, positions.CONCERNS),
    # Which cell is taken of several, before what is still an array goes element by element.
    Rule(
        "intersection",
        intersection.apply,
        intersection.CONCERNS,
        row_dependent=True,
        in_names=False,
    ),
    # Branches while a range is still a range, before what is an array goes element by element.
    Rule("branches", branches.apply, branches.CONCERNS),
    Rule("broadcast", broadcast.apply, broadcast.CONCERNS),
    # Sizes after what goes element by element, whose size is known then.
    Rule(
        "array sizes", array_sizes.apply, array_sizes.CONCERNS, row_dependent=True, in_names=False
    ),
    # Only what is one value by now: elements are asked one by one, and their errors stay theirs.
    Rule("asked errors", asked_errors.apply, asked_errors.CONCERNS),
    # Texts become numbers before digits are looked at, and after what goes element by element.
    Rule("numbers in texts", numbers_in_texts.apply, numbers_in_texts.CONCERNS),
    # Digits last: what is shown is the value of the finished operand.
    Rule("compare 15 digits", fifteen_digits.compare, fifteen_digits.COMPARED, in_names=False),
    Rule("snap to zero", fifteen_digits.snap, fifteen_digits.ADDED, in_names=False),
    Rule("texts of 15 digits", fifteen_digits.as_texts, fifteen_digits.JOINED),
    # The whole of what is joined, with the texts of its numbers.
    Rule("long texts", long_texts.apply, long_texts.CONCERNS),
    # A name for the array, which no rule that looks at names is to see.
    Rule("single errors", single_errors.apply, single_errors.CONCERNS),
    # Ways of writing, which no rule need know of.
    Rule("single", notation.single, notation.SINGLES),
    Rule("spilled", notation.spilled, notation.SPILLS),
    # The whole formula, once its parts are done.
    Rule("fit", result.fit, result.SHAPED, in_names=False),
    Rule("sure", result.sure, result.FAILING, in_names=False),
)
