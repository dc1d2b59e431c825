"""The text of the native LAMBDAs, and what cannot be written as one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engine.elementwise import above, any_real, proper_fraction, whole
from engine.errors import DomainError, UnknownIdError
from engine.tables import Table
from udfs import registry
from udfs.hosts.native import library_of, native_names, reasons
from udfs.hosts.native.branches import followed
from udfs.hosts.native.library import WHY, texts_of
from udfs.hosts.native.symbols import Symbol, inside, variable
from udfs.hosts.native.ways import UntraceableError
from udfs.hosts.native.writing import LONGEST, lambda_parts, lambda_text, shown

#: What Excel stores with a prefix, without it.
PREFIXED = re.compile(r"(?<!_xlfn\.)\b(LAMBDA|LET|MAP|SCAN|ISOMITTED|SEQUENCE)\(")
PAGE = Path(__file__).parents[4] / "docs" / "excel.md"


@pytest.fixture(scope="module")
def texts():
    return library_of(registry).names


def written(value, *variables):
    return shown(lambda_text(variables, value))


def test_a_whole_function_reads_as_this(texts):
    assert shown(texts["TOK_SUBSIDY"]) == (
        'LAMBDA(price_,breakeven_,LET(price__1,_TOK_NUMBER(price_,1+"x"),'
        'breakeven__1,_TOK_NUMBER(breakeven_,1+"x"),'
        "IF((price__1>=0)*(breakeven__1>=0),IFERROR(breakeven__1-price__1,SQRT(-1)),SQRT(-1))))"
    )


def test_a_text_is_as_excel_stores_it(texts):
    for name, text in texts.items():
        assert len(text) <= LONGEST, name
        # Excel drops a name with a parameter in brackets; it stores the optional ones as _xlop.
        assert "[" not in text, name
        for optional in re.findall(r"_xlop\.(\w+)", text):
            assert text.count(f"_xlop.{optional}") == 1, name
            assert f"_xlfn.ISOMITTED(_xlpm.{optional})" in text, name
        bare = re.sub(r'"[^"]*"', "", text)
        assert not re.search(r"(?<!_xlfn\.)\b(LAMBDA|LET|MAP|SCAN|ISOMITTED|SEQUENCE)\(", bare), (
            name
        )
        # A variable is never what could be read as a cell, nor, after its prefix, a number.
        variables = set(re.findall(r"_xl(?:pm|op)\.(\w+)", bare))
        assert all(re.search(r"_\d*$", v) for v in variables), (name, variables)


def test_each_function_is_native_or_says_why_not():
    assert set(native_names()) | set(reasons()) == set(registry)
    assert all(reasons().values())


def test_reasons_are_told_in_words_and_the_page_names_every_function_that_is_not_native():
    assert set(reasons()) == set(WHY)
    text = PAGE.read_text(encoding="utf-8")
    listed = text.partition("\n3. Not native are: ")[2].partition("\n")[0]
    assert set(re.findall(r"`(TOK_\w+)`", listed)) == set(reasons())
    assert f"The other {len(native_names())} of {len(registry)} are." in listed


def test_only_the_helpers_that_are_used_go_along():
    library = library_of(["TOK_SUBSIDY"])
    assert list(library.names) == ["_TOK_CELL", "_TOK_NUMBER", "TOK_SUBSIDY"]
    assert library.hidden == {"_TOK_CELL", "_TOK_NUMBER"}


def test_a_function_alone_is_written_as_together_with_all_others(texts):
    for name in native_names():
        alone = library_of([name]).names
        assert alone.items() <= texts.items()
        used = set(re.findall(r"(?<![\w.])_TOK_\w+", "".join(alone.values())))
        assert used <= alone.keys()
    assert all(texts_of(name)[name] == text for name, text in texts.items())


def test_shared_terms_are_written_once_and_where_their_variables_are_known():
    x = variable("x")
    y = (x + 1.0) / 3.0
    assert written(y * y, x) == "LAMBDA(x_1,LET(u_1,(x_1+1)/3,u_1*u_1))"
    inner = np.cumsum(x * y)
    assert written(inner, x) == ("LAMBDA(x_1,SCAN(0,x_1*((x_1+1)/3),LAMBDA(a_1,b_1,a_1+b_1)))")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda x: -x, "-x_1"),
        # Excel takes -x^2 for (-x)^2, and 0^0 for an error.
        (lambda x: -(x**2), "-(x_1^2)"),
        (lambda x: (-x) ** 2, "(-x_1)^2"),
        (lambda x: x ** (2 * x), "LET(u_1,2*x_1,IF(u_1=0,1,x_1^u_1))"),
        (lambda x: 2.0**x, "2^x_1"),
        (lambda x: x - (x - 1.0), "x_1-(x_1-1)"),
        (lambda x: 1 / (x / 2.0), "1/(x_1/2)"),
        (lambda x: x + -1.0, "x_1+(-1)"),
        (lambda x: np.where(x > 0, x, np.nan), "IF(x_1>0,x_1,SQRT(-1))"),
        (lambda x: (x > 0) & (x < 1), "(x_1>0)*(x_1<1)"),
        (lambda x: (x < 0) | (x > 1), "(x_1<0)+(x_1>1)>0"),
        (lambda x: np.maximum(x, 0), "IF(x_1>=0,x_1,0)"),
        (np.ceil, "-INT(-x_1)"),
        (np.sum, "SUM(x_1)"),
    ],
)
def test_operations_are_written_as_excel_reads_them(made, text):
    x = variable("x")
    assert written(made(x), x) == f"LAMBDA(x_1,{text})"


@pytest.mark.parametrize(
    "body",
    [
        lambda x: 1.0 if x > 0 else 2.0,
        float,
        np.linalg.norm,
        list,
        lambda x: x[x > 0],
    ],
)
def test_what_no_formula_can_do_is_refused(body):
    with pytest.raises(UntraceableError):
        body(variable("x"))


def test_a_domain_without_its_end_excludes_it():
    x = variable("x")
    assert written(inside(x, above(0)), x) == "LAMBDA(x_1,x_1>0)"
    assert written(inside(x, above(-1)), x) == "LAMBDA(x_1,x_1>(-1))"
    assert written(inside(x, proper_fraction()), x) == "LAMBDA(x_1,(x_1>=0)*(x_1<1))"
    assert written(inside(x, whole(1)), x) == "LAMBDA(x_1,(x_1>=1)*(x_1=INT(x_1)))"
    # Every number will do, but an error must still come out.
    assert written(inside(x, any_real()), x) == "LAMBDA(x_1,x_1=x_1)"


def test_a_symbol_is_kept_from_being_a_truth():
    with pytest.raises(UntraceableError, match=r"np\.where"):
        bool(Symbol("var", "x"))


# --- bodies that branch ------------------------------------------------------------------------


def test_a_body_that_branches_is_joined_by_if():
    x = variable("x")
    value, told = followed(lambda: 2.0 * x if x > 0 else 3.0 * x)
    assert (written(value, x), told) == ("LAMBDA(x_1,IF(x_1>0,2*x_1,3*x_1))", 0.0)


def test_a_condition_that_changes_nothing_is_not_asked():
    x = variable("x")

    def body():
        bool(x > 5)
        return x + 1.0

    assert written(followed(body)[0], x) == "LAMBDA(x_1,x_1+1)"


def test_the_same_condition_has_one_answer():
    x = variable("x")

    def body():
        return (1.0 if x > 0 else 2.0) + (10.0 if x > 0 else 20.0)

    assert written(followed(body)[0], x) == "LAMBDA(x_1,IF(x_1>0,11,22))"


def test_what_the_engine_refuses_is_told_apart_from_what_it_gives():
    x = variable("x")

    def body():
        if x > 1:
            raise DomainError("too large")
        if x < 0:
            raise UnknownIdError("too small")
        return x

    value, told = followed(body)
    assert value is x
    assert written(told, x) == "LAMBDA(x_1,IF(x_1>1,SQRT(-1),IF(x_1<0,NA(),0)))"


def test_a_text_with_a_value_in_it_is_joined():
    x = variable("x")

    def body():
        return Table(("a",), (np.array([f"batch {x:g} of {x:.0f}"], dtype=object),))

    (column,) = followed(body)[0].columns
    assert written(column[0], x) == 'LAMBDA(x_1,"batch "&x_1&" of "&TEXT(x_1,"0"))'


def test_a_long_formula_goes_on_in_a_name_of_its_own():
    x, value = variable("x"), variable("x")
    value = x
    # Long, but not so deep that Python's stack is an issue.
    for i in range(100):
        value = (value + float(i)) * ((value + 123456789.0) / (value + 987654321.0))
    text, parts = lambda_parts("TOK_LONG", [x], value)
    assert parts
    assert max(map(len, (text, *parts.values()))) <= LONGEST
    # Only what the rest needs is handed on.
    assert re.search(r"_TOK_LONG_\d+\(_xlpm\.u_\d+\)", text)


def test_a_long_term_that_is_used_once_is_moved_too():
    x, value = variable("x"), 0.0
    for i in range(400):
        value = value + (x + float(i)) * (x + 123456789.0 + i)
    text, parts = lambda_parts("TOK_LONG", [x], value)
    assert len(parts) > 1
    assert max(map(len, (text, *parts.values()))) <= LONGEST
    assert "".join((text, *parts.values())).count("+123456789") == 1


def test_whether_any_element_holds_is_counted_in_numbers():
    x = variable("x", vector=True)
    assert written((x > 0.0).any(), x) == "LAMBDA(x_1,SUM((x_1>0)*1)>0)"
