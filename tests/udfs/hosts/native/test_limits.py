"""Every LAMBDA that we write is within what Excel takes: its limits, functions, prefixes and names.

The limits are those of Microsoft's "Excel specifications and limits". tests/data/
native_functions.csv has each function, how a file stores it, the first Excel with it, and where
that is written: ISO/IEC 29500-1, or MS-XLSX 2.2.3 "Functions" for those that came later.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import pytest
from openpyxl.utils import FORMULAE

from udfs import registry
from udfs.hosts.native import DATA_SHEET, library_of
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Array, Call, Name, Number, Text, children, walk

TABLE = Path(__file__).parents[3] / "data" / "native_functions.csv"
with TABLE.open(encoding="utf-8") as _file:
    KNOWN = {row["name"]: row for row in csv.DictReader(_file)}

LONGEST, DEEPEST, MOST_ARGUMENTS, MOST_PARAMETERS, MOST_PAIRS = 8192, 64, 255, 253, 126
#: Bytes that a formula may have once Excel has read it.
MOST_BYTES = 16384
_ADDRESS = re.compile(r"[a-z]{1,3}[0-9]+|r[0-9]*(c[0-9]*)?|c[0-9]*|true|false", re.IGNORECASE)
#: Words that Excel does not take as the name of a function, though nothing says so.
_RESERVED = {"RESULT", "RETURN", "VALUE", "ARGUMENT", "EVALUATE", "CALL", "EXEC", "EXECUTE"}
_RESERVED |= {"ERROR", "YIELD", "BREAK", "ELSE", "GROUP"}


# Written when first asked for: all of them take seconds, which who collects tests need not wait.
@cache
def texts():
    return library_of(registry).names


@cache
def trees():
    return {name: parse(text) for name, text in texts().items()}


def each(check):
    """Hold each name to a check."""

    def holds_for_each():
        for name in texts():
            try:
                check(name)
            except AssertionError as error:
                error.add_note(name)
                raise

    return holds_for_each


def calls(name):
    return [node for node in walk(trees()[name]) if isinstance(node, Call)]


def depth(node):
    inner = max((depth(child) for child in children(node)), default=0)
    return inner + isinstance(node, Call)


def test_all_functions_are_looked_at():
    assert set(texts()) >= {name for name in registry if name in library_of([name]).names}
    assert len(texts()) > 100


@each
def test_it_is_short_and_flat_enough(name):
    assert len(texts()[name]) <= LONGEST
    assert depth(trees()[name]) <= DEEPEST


@each
def test_it_is_balanced_and_holds_a_lambda(name):
    bare = re.sub(r'"(?:[^"]|"")*"|\'[^\']*\'', "", texts()[name])
    assert '"' not in bare
    for opening, closing in ("()", "{}"):
        assert bare.count(opening) == bare.count(closing)
    assert trees()[name].name == "LAMBDA"
    assert not re.search(r"\s", bare)


@each
def test_no_call_has_too_many_arguments(name):
    for call in calls(name):
        assert len(call.arguments) <= MOST_ARGUMENTS
        if call.name == "LAMBDA":
            assert 1 <= len(call.arguments) - 1 <= MOST_PARAMETERS
        if call.name == "LET":
            assert len(call.arguments) % 2 == 1
            assert 1 <= len(call.arguments) // 2 <= MOST_PAIRS


@each
def test_it_calls_what_excel_2024_has_by_the_name_that_a_file_stores(name):
    for call in calls(name):
        if call.name in texts():
            assert call.prefix == ""
        else:
            assert call.name in KNOWN, f"{call.name}: add it to {TABLE.name}, with its source"
            assert call.prefix + call.name == KNOWN[call.name]["stored"]


def test_the_table_of_functions_is_used_and_holds():
    used = {call.name for name in texts() for call in calls(name)}
    assert used >= set(KNOWN)
    for name, row in KNOWN.items():
        assert 2007 <= int(row["since"]) <= 2024
        assert row["source"] == (
            "ISO/IEC 29500-1 18.17.7" if row["stored"] == name else "MS-XLSX 2.2.3"
        )
        # The standard's own list, as openpyxl has it, knows the first kind and not the second.
        assert (name in FORMULAE) == (row["stored"] == name)


@each
def test_no_name_can_be_taken_for_something_else(name):
    assert re.fullmatch(r"_?TOK_[A-Z0-9_]+", name)
    given = {n.text for n in walk(trees()[name]) if isinstance(n, Name)}
    for variable in given:
        bare = re.fullmatch(r"_xl(?:pm|op)\.(\w+)", variable)[1]
        assert not _ADDRESS.fullmatch(bare)
        assert bare.upper() not in _RESERVED | KNOWN.keys() | texts().keys()
        assert re.fullmatch(r"[A-Za-z]\w*", bare, re.ASCII)
        assert len(bare) <= 255


def free(node, known):
    """Return the names that nothing around a node has given."""
    if isinstance(node, Name):
        return set() if node.text.casefold() in known else {node.text}
    if isinstance(node, Call) and node.name == "LAMBDA":
        *names, body = node.arguments
        told = {n.text.replace("_xlop.", "_xlpm.").casefold() for n in names}
        assert len(told) == len(names)
        return free(body, known | told)
    if isinstance(node, Call) and node.name == "LET":
        found, known = set(), set(known)
        for name, value in zip(node.arguments[:-1:2], node.arguments[1::2], strict=True):
            found |= free(value, known)
            assert name.text.startswith("_xlpm.")
            known.add(name.text.casefold())
        return found | free(node.arguments[-1], known)
    return set().union(*(free(child, known) for child in children(node)))


@each
def test_every_variable_is_given_before_it_is_used(name):
    assert free(trees()[name], frozenset()) == set()


@each
def test_optional_parameters_come_last_and_are_asked_for(name):
    *names, _ = trees()[name].arguments
    optional = [n.text.startswith("_xlop.") for n in names]
    assert optional == sorted(optional)
    inner = [call for call in calls(name)[1:] if call.name == "LAMBDA"]
    assert not any(n.text.startswith("_xlop.") for call in inner for n in call.arguments[:-1])
    asked = [call.arguments[0] for call in calls(name) if call.name == "ISOMITTED"]
    assert {n.text.replace("_xlpm.", "_xlop.") for n in asked} <= {
        n.text for n, may in zip(names, optional, strict=True) if may
    }


@each
def test_names_of_ours_are_called_with_as_many_arguments_as_they_have(name):
    for call in calls(name):
        if call.name in trees():
            *names, _ = trees()[call.name].arguments
            needed = sum(not n.text.startswith("_xlop.") for n in names)
            assert needed <= len(call.arguments) <= len(names), call.name


@each
def test_it_refers_to_the_data_sheet_alone_and_by_fixed_cells(name):
    for node in walk(trees()[name]):
        if isinstance(node, Reference):
            assert node.sheet == DATA_SHEET
            assert node.to_sheet is None
            for corner in (node.first, node.end):
                assert corner.row_fixed
                assert corner.column_fixed


def size(node):
    """Return no less than the bytes that Excel keeps of a node (MS-XLSB 2.2.2, the Ptg records)."""
    own = {Number: 9, Name: 7, Reference: 19, Array: 15, Call: 11}.get(type(node), 1)
    if isinstance(node, Text):
        own = 3 + 2 * len(node.value)
    return own + sum(map(size, children(node)))


@each
def test_it_is_small_enough_once_it_is_read(name):
    assert size(trees()[name]) <= MOST_BYTES


@pytest.mark.parametrize("text", ["LAMBDA(x,(x+1)", "LAMBDA(x,x+)", 'LAMBDA(x,"a)'])
def test_what_is_not_balanced_is_no_formula(text):
    with pytest.raises(FormulaError):
        parse(text)
