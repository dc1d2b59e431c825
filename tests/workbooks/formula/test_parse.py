"""Formulas read into trees, and written back as they were."""

from __future__ import annotations

import pytest

from workbooks.formula.parse import MAX_DEPTH, FormulaError, generalised, parse
from workbooks.formula.references import AnyRow, Reference, read_reference
from workbooks.formula.tree import (
    Apply,
    Call,
    Error,
    External,
    Joined,
    Missing,
    Name,
    Operation,
    Paren,
    Percent,
    Sign,
    Single,
    Spilled,
    TableReference,
    Text,
    bottom_up,
    pieces,
    text_of,
    walk,
)

AS_WRITTEN = """
(A1-B1)+SUM(A1:B2,,3)
A1#
@INDEX(A1#,1)
'My Sheet'!A1:B2 C1:C9
SUM((A1:A2,B1))
Sales[[#This Row],[Qty]]*2
Sales[@Qty]
Tab[Col '[x']]
Sheet1:Sheet3!A1
'Sheet 1:Sheet 3'!A1
'a''b'!C1
[1]Sheet1!A1
'[Book 1.xlsx]Sheet'!$A$1
[0]!Rate
-x^2%
{1,-2;"a",TRUE}
"a""b"&#N/A
A1:INDEX(B:B,3)
OFFSET(A1,0,0):B3
INDEX(A:A,1):INDEX(A:A,3)
SUM(A1:OFFSET(B9,-1,0))
1E+5+1.5e-3
IF(A1="",,2)
LAMBDA(a,b,a+b)(1,2)
A:A
$1:3
--A1
IF(TRUE(),"é",Ünï)
A1%%
SUM(Jan:Mar!B2:B3)
F(,)
F()
_xlfn.XLOOKUP(1,A:A,B:B)
_xldudf_TOK_X(1)
1-(2-3)
2^-3^2
""".strip().splitlines()


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_written_back_as_it_was(text):
    assert text_of(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("(A1-B1)", Paren),
        ("A1-B1", Operation),
        ("-2^2", Operation),
        ("-A1%", Sign),
        ("A1%", Percent),
        ("@A1:A9%", Percent),
        ("@A1:A9", Single),
        ("_xlfn.SINGLE(A1:A9)", Single),
        ("_xlfn.ANCHORARRAY(A1)", Spilled),
        ("A1:B2 B1:C2", Joined),
        ("LAMBDA(x,x)(1)", Apply),
        ("A1048577", Name),
        ("XFE1", Name),
        ("Sheet1!#REF!", Error),
        ("[2]Sheet1!A1", External),
        ("Sales[Qty]", TableReference),
        ('"="', Text),
    ],
)
def test_kind_of_the_whole(text, kind):
    assert isinstance(parse(text), kind)


def test_a_sign_binds_tighter_than_a_power():
    tree = parse("-2^2")
    assert isinstance(tree, Operation)
    assert isinstance(tree.left, Sign)


def test_operators_of_one_strength_bind_to_the_left():
    assert parse("1-2-3") == parse("(1-2)-3") or text_of(parse("1-2-3").left) == "1-2"
    assert text_of(parse("2^3^2").left) == "2^3"
    assert text_of(parse("A1=B1=C1").left) == "A1=B1"


def test_two_corners_with_one_sheet_are_one_reference():
    assert parse("Sheet1!A1:Sheet1!B2") == parse("Sheet1!A1:B2")
    assert parse("A1 :B2") == parse("A1:B2")


def test_arguments_left_out():
    call = parse("F(1,,)")
    assert isinstance(call, Call)
    assert [isinstance(a, Missing) for a in call.arguments] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("1 2", "without an operator"),
        ("(1", "leaves a bracket open"),
        ("SUM(1,", "leaves a bracket open"),
        ("cmd|'/c calc'!A1", "DDE"),
        ("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "nested"),
        ("1+", "ends too early"),
        ("*2", "wrong place"),
    ],
)
def test_what_is_no_formula_is_told(text, reason):
    with pytest.raises(FormulaError, match=reason):
        parse(text)


def test_parentheses_are_put_where_a_rule_needs_them():
    tree = Operation("*", parse("1+2"), parse("3-4"))
    assert text_of(tree) == "(1+2)*(3-4)"
    assert text_of(Operation("-", parse("1"), parse("2-3"))) == "1-(2-3)"
    assert text_of(Percent(Single(parse("A1:A2")))) == "(@A1:A2)%"


def test_unchanged_trees_are_handed_back_as_they_are():
    for text in AS_WRITTEN:
        tree = parse(text)
        assert bottom_up(tree, lambda node: node) is tree


def test_row_numbers_in_the_order_of_the_text():
    tree, rows = generalised(parse("IF($A1>B$22,SUM(C3:C44),Sheet2!D5)+A:A"))
    assert rows == ["1", "22", "3", "44", "5"]
    written = "".join(rows[p.place] if isinstance(p, AnyRow) else str(p) for p in pieces(tree))
    assert written == "IF($A1>B$22,SUM(C3:C44),Sheet2!D5)+A:A"
    assert all(isinstance(n, Reference) for n in walk(tree) if "any" in repr(n))


@pytest.mark.parametrize(
    ("text", "size"),
    [("A1", (1, 1)), ("B2:C5", (4, 2)), ("A:C", (1_048_576, 3)), ("2:3", (2, 16_384))],
)
def test_size_of_a_reference(text, size):
    reference = read_reference(text)
    assert reference is not None
    assert reference.size == size


def test_copies_move_relative_parts_alone():
    reference = read_reference("$A1:B$2")
    assert reference is not None
    moved = reference.moved(3, 2)
    assert moved is not None
    assert moved.text() == "$A4:D$2"
    assert reference.moved(2_000_000, 0) is None
