"""Whose a name of a workbook is: by what it says, however it is written, and what it uses."""

from __future__ import annotations

from functools import cache

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName

from udfs import registry
from udfs.hosts.native import library_of
from udfs.hosts.native.alike import normal, signature, signed_by
from udfs.hosts.native.origin import Origin, origin_of, signed_now
from udfs.hosts.native.writing import shown
from workbooks.authoring.native import make_native
from workbooks.recalc import recalculate

SUBSIDY, PRICE = "TOK_SUBSIDY", "TOK_MARKET_PRICE"


@cache
def ours():
    return library_of(registry).names


def origin(name, held):
    names = {key.upper(): value for key, value in held.items()}
    return origin_of(name, lambda asked: names.get(asked.upper()))


def written(*names, **changed):
    """The names of a workbook as we write them, some of them changed."""
    texts = {**library_of(names).names, **changed}
    return {name: (text, signed_now(ours()[name])) for name, text in texts.items()}


SAVED_AGAIN = {
    "equals sign": lambda text: f"={text}",
    "as typed": shown,
    "small letters": str.lower,
    "capitals": lambda text: text.replace("_xlpm.price_", "_xlpm.PRICE_"),
    "blanks": lambda text: text.replace(",", " , ").replace("(", "(\n  ") + " ",
    "number": lambda text: text.replace("0", "0.0").replace("SQRT(-1)", "SQRT(-1.0E+0)"),
}


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_our_text_is_ours_however_it_is_saved(how):
    text = SAVED_AGAIN[how](ours()[SUBSIDY])
    assert text != ours()[SUBSIDY]
    held = written(SUBSIDY)
    assert origin(SUBSIDY, {**held, SUBSIDY: (text, "")}) is Origin.OURS
    assert origin(SUBSIDY.lower(), {**held, SUBSIDY: (text, "")}) is Origin.OURS


def test_every_text_is_ours_as_a_user_sees_it():
    for name, text in ours().items():
        seen = normal(shown(text).lower().replace(",", ", "))
        assert seen == normal(text.lower()) or '"' in text, name
        assert normal(shown(text)) == normal(text), name


def test_no_two_names_of_ours_say_the_same():
    assert len({normal(text) for text in ours().values()}) == len(ours())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A1:A3 B1", "A1:A3B1"),
        ('"a b"', '"ab"'),
        ('"x"', '"X"'),
        ("1.5", "1.51"),
        ("1E5", "1E-5"),
        ("1000000000001", "1000000000002"),
        ("x_1", "x_2"),
        ("-(x^2)", "-x^2"),
        ("IF(x>0,1,2)", "IF(x>=0,1,2)"),
        ("'tokenbook data'!$A$5:$A$9", "'tokenbook data'!$A$5:$A$8"),
    ],
)
def test_what_differs_is_told_apart(one, other):
    assert normal(one) != normal(other)


def test_a_changed_text_is_the_workbooks_own():
    changed = ours()[SUBSIDY].replace("breakeven__1-", "2*breakeven__1-")
    assert origin(SUBSIDY, written(SUBSIDY, **{SUBSIDY: changed})) is Origin.OWN
    assert origin("TOK_VERDICT", {"TOK_VERDICT": written(SUBSIDY)[SUBSIDY]}) is Origin.OTHER_VERSION
    assert origin("TOK_VERDICT", {"TOK_VERDICT": (ours()[SUBSIDY], "")}) is Origin.OWN
    assert origin("MINE", {"MINE": (ours()[SUBSIDY], "")}) is Origin.OWN


def test_a_changed_helper_makes_the_function_the_workbooks_own():
    changed = ours()["_TOK_CELL"].replace("ISTEXT", "ISBLANK")
    assert origin(SUBSIDY, written(SUBSIDY, _TOK_CELL=changed)) is Origin.OWN
    lost = written(SUBSIDY)
    del lost["_TOK_CELL"]
    assert origin(SUBSIDY, lost) is Origin.OWN


def test_what_another_version_wrote_is_known_by_its_comment():
    old = ours()[SUBSIDY].replace("breakeven__1-", "2*breakeven__1-")
    held = {**written(SUBSIDY), SUBSIDY: (old, signature(old))}
    assert origin(SUBSIDY, held) is Origin.OTHER_VERSION
    held[SUBSIDY] = (old + "+0", signature(old))
    assert origin(SUBSIDY, held) is Origin.OWN
    helper = ours()["_TOK_CELL"].replace("ISTEXT", "ISBLANK")
    held = {**written(SUBSIDY), "_TOK_CELL": (helper, signature(helper))}
    assert origin(SUBSIDY, held) is Origin.OTHER_VERSION
    assert signed_by(old, "a note") == signed_by(old, "") == ""


def test_other_data_make_another_version_of_what_looks_them_up():
    held = written(PRICE)
    assert origin(PRICE, held) is Origin.OURS
    text = ours()[PRICE]
    held[PRICE] = (text, signature(text, [("other", "prices")]))
    assert origin(PRICE, held) is Origin.OTHER_VERSION


# --- what becomes of them ------------------------------------------------------------------------


def book(path, names, formulas=("=TOK_SUBSIDY(A1,B1)", "=TOK_VERDICT(A1,B1)")):
    workbook = Workbook()
    sheet = workbook.active
    sheet["A1"], sheet["B1"] = 0.88, 3.88
    for row, formula in enumerate(formulas, start=2):
        sheet.cell(row, 1, formula)
    for name, (text, comment) in names.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=text, comment=comment or None)
    workbook.save(path)
    return path


def computed(path):
    report = recalculate(path)
    value = load_workbook(path, data_only=True).active["A2"].value
    return value, [(cell.address, cell.reason) for cell in report.unevaluated]


def test_names_saved_again_by_excel_are_computed_by_the_engine(tmp_path):
    names = {
        name: (f" {text.replace(',', ', ')}", comment)
        for name, (text, comment) in written(SUBSIDY).items()
    }
    value, kept = computed(book(tmp_path / "a.xlsx", names))
    assert (value, kept) == (pytest.approx(3.0), [])


def test_a_definition_of_the_workbooks_own_wins(tmp_path):
    own = {SUBSIDY: ("_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a*100+_xlpm.b)", "")}
    value, kept = computed(book(tmp_path / "a.xlsx", own))
    assert (value, kept) == (pytest.approx(91.88), [])


def test_a_definition_that_cannot_be_evaluated_keeps_its_value_and_is_told(tmp_path):
    own = {SUBSIDY: ("_xlfn.LAMBDA(_xlpm.a,_xlop.b,IF(_xlfn.ISOMITTED(_xlpm.b),0,1))", "")}
    value, [(address, reason)] = computed(book(tmp_path / "a.xlsx", own))
    assert (value, address) == (None, "Sheet!A2")
    assert "may be left out" in reason


def test_a_function_of_ours_that_somebody_changed_wins_or_is_told(tmp_path):
    changed = ours()[SUBSIDY].replace("breakeven__1-", "2*breakeven__1-")
    path = book(tmp_path / "a.xlsx", written(SUBSIDY, **{SUBSIDY: changed}))
    value, kept = computed(path)
    assert value == pytest.approx(6.88) or (value is None and kept[0][0] == "Sheet!A2")
    assert make_native(path, path).own == (SUBSIDY,)


def test_another_version_keeps_its_value_is_told_and_written_anew(tmp_path):
    old = ours()[SUBSIDY].replace("breakeven__1-", "2*breakeven__1-")
    names = {**written(SUBSIDY), SUBSIDY: (old, signature(old))}
    path = book(tmp_path / "a.xlsx", names)
    value, [(address, reason)] = computed(path)
    assert (value, address) == (None, "Sheet!A2")
    assert "another version of Tokenbook" in reason
    assert "`tokenbook native`" in reason
    made = make_native(path, path)
    assert (made.native, made.own) == ((SUBSIDY, "TOK_VERDICT"), ())
    assert load_workbook(path).defined_names[SUBSIDY].value == ours()[SUBSIDY]
    assert computed(path) == (pytest.approx(3.0), [])


def test_a_helper_that_is_not_ours_is_written_anew(tmp_path):
    helper = "_xlfn.LAMBDA(_xlpm.x,_xlpm.d,_xlpm.x*2)"
    path = book(tmp_path / "a.xlsx", {"_TOK_CELL": (helper, "")})
    make_native(path, path)
    assert load_workbook(path).defined_names["_TOK_CELL"].value == ours()["_TOK_CELL"]


def test_a_name_of_a_single_sheet_stays(tmp_path):
    path = book(tmp_path / "a.xlsx", {})
    workbook = load_workbook(path)
    workbook.active.defined_names["_TOK_CELL"] = DefinedName("_TOK_CELL", attr_text="Sheet!$A$1")
    workbook.save(path)
    make_native(path, path)
    found = load_workbook(path)
    assert found.active.defined_names["_TOK_CELL"].value == "Sheet!$A$1"
    assert found.defined_names["_TOK_CELL"].value == ours()["_TOK_CELL"]
