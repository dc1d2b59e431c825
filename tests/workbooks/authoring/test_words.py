"""Formulas, rows, checks and inputs as an author lists them."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from workbooks import templates
from workbooks.authoring.comparisons import add_checks
from workbooks.authoring.given import listed
from workbooks.authoring.layout import Book, Limit, Ref
from workbooks.authoring.timeline import FIRST, OPENING, Grid, by_year
from workbooks.authoring.words import Word, lines, pieces, whole

ROOT = Path(__file__).parents[3]
PRODUCTS = {"chat": "Chat", "agent": "Agents"}
GIVEN = {"tax": Ref("Inputs", 2, 2), "growth": Ref("Own inputs", 3, 2), "tolerance": Ref("I", 9, 2)}
GIVEN |= {"year_months": Ref("Inputs", 4, 2)}


@pytest.fixture
def grid() -> Grid:
    return Grid(Book("", "", "", flag="").sheet("Rows", "", "", ()), 3, GIVEN)


def row(grid: Grid, key: str) -> dict[int, object]:
    return {c.column: c.value for c in grid.sheet.cells if c.row == grid.rows[key]}


# --- formulas -------------------------------------------------------------------------------------


def test_a_name_is_a_word_in_small_letters_and_nothing_else_is():
    formula = """IF(mtok>0, "of mtok", 'our sheet'!$A$1 + Inputs!b2 + a.all + MAX(x1, 1e6)) : z"""
    assert pieces(formula) == (
        "IF(", Word("mtok", ""), ">0,", '"of mtok"', ",", "'our sheet'", "!$A$1", "+", "Inputs!b2",
        "+", Word("a", "all"), "+", "MAX(", Word("x1", ""), ",", "1e6))", ":", Word("z", ""),
    )  # fmt: skip


@drawn(st.text(st.characters(exclude_characters='"'), max_size=20))
def test_a_text_in_quotes_stays_as_it_is(text):
    assert whole(f'LEN("{text}")', GIVEN.__getitem__) == f'LEN("{text}")'


def test_whole_rows_stand_where_their_place_is_said():
    assert whole("SUM(growth) * tax", GIVEN.__getitem__) == "SUM('Own inputs'!$B$3)*'Inputs'!$B$2"


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("TOK_NONE(a)", "there is no function TOK_NONE"),
        ("TOK_SUBSIDY(a)", "does not take 1 arguments"),
        ("1 + TOK_SUBSIDY(a, MAX(b, c), d, e)", "does not take 4 arguments"),
        ("TOK_SUBSIDY(a, (b)", "not closed"),
    ],
)
def test_a_wrong_call_fails_when_it_is_written(formula, told):
    with pytest.raises(ValueError, match=told):
        pieces(formula)


# --- lines ----------------------------------------------------------------------------------------


def test_a_line_of_products_stands_once_for_each():
    text = "{product}_mtok | {Name}: of {name} | Mtok | {product}_in * ADD({product}_out)"
    assert list(lines(text, PRODUCTS, 3)) == [
        ["chat_mtok", "Chat: of chat", "Mtok", "chat_in * chat_out+agent_out"],
        ["agent_mtok", "Agents: of agents", "Mtok", "agent_in * chat_out+agent_out"],
    ]


def test_a_line_of_products_without_any_fails():
    with pytest.raises(ValueError, match="of which product"):
        list(lines("a | {Name} | | tax", {}, 3))


def test_what_is_let_is_put_in_formulas_and_not_in_labels():
    text = """
        let age = month - start
        let half(row) = row / two.all
        let older = half(age + 1)
        age |   Its age | | half(MAX(age, 0)) + old_age + older
    """
    ((key, label, _, formula),) = lines(text, {}, 3)
    assert (key, label) == ("age", "  Its age")
    assert formula == "MAX(month - start, 0) / two.all + old_age + month - start + 1 / two.all"


def test_the_rows_of_a_grid(grid):
    grid.lines(
        PRODUCTS,
        """
        # Demand
        since | Months | months | 0
        {product} | {Name} | a day | growth.grown | 0 * tax
        sum | All | USD | = ADD({product})
        rest | Rest | USD/Mtok, margin | SUM(sum.sofar) / SUM(sum.all) \
            - sum.first * tax - sum.before
        """,
    )
    assert row(grid, "agent") == {
        1: "Agents", 2: "a day", 3: "=0*'Inputs'!$B$2",
        4: "=(1+'Own inputs'!$B$3)^(D6/'Inputs'!$B$4)",
        5: "=(1+'Own inputs'!$B$3)^(E6/'Inputs'!$B$4)",
        6: "=(1+'Own inputs'!$B$3)^(F6/'Inputs'!$B$4)",
    }  # fmt: skip
    assert row(grid, "rest")[5] == "=SUM($D9:E9)/SUM($D9:$F9)-$D9*'Inputs'!$B$2-D9"
    looks = {(c.row, c.role, c.format) for c in grid.sheet.cells if c.column == FIRST}
    assert looks >= {(6, "calc", "integer"), (9, "output", "usd"), (10, "calc", "margin")}


def test_a_corkscrew_closes_where_the_next_column_opens(grid):
    grid.lines({}, """
        bought | Bought | USD | tax
        loan | Loan | USD | corkscrew 0 * tax
        + drawn | Drawn | USD | loan_opening * growth
        + bought
        - repaid | Repaid | USD | MIN(drawn, loan.before)
    """)  # fmt: skip
    closing = grid.rows["loan"]
    assert closing == grid.rows["repaid"] + 1
    assert row(grid, "loan_opening")[FIRST] == f"=C{closing}"
    assert row(grid, "loan")[OPENING] == "=0*'Inputs'!$B$2"
    opening, drawn_, repaid = (grid.rows[key] for key in ("loan_opening", "drawn", "repaid"))
    bought = grid.rows["bought"]
    assert row(grid, "loan")[FIRST] == f"=D{opening}+D{drawn_}+D{bought}-D{repaid}"


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("a | A | | tax.before", ValueError, "no row that has a before"),
        ("a | A | | a.later", ValueError, "a.later is not known"),
        ("a | A | | nowhere", KeyError, "nowhere"),
        ("a | A | | tax\na | A | | tax", ValueError, "two rows are called a"),
        ("a | A | | tax\n+ b | B | | tax", ValueError, "a corkscrew only"),
    ],
)
def test_a_slip_in_a_row_fails_when_it_is_written(grid, text, error, told):
    with pytest.raises(error, match=told):
        grid.lines({}, text)


def test_checks_are_told_after_what_they_are_of(grid):
    grid.lines({}, "gap | Gap | | tax")
    add_checks(grid.sheet, "Base: ", grid.place, PRODUCTS, "{name} is none | SUM(gap) | 0 * tax")
    (first, second) = grid.sheet.book.checks
    assert first == ("Base: chat is none", "SUM('Rows'!$D$5:$F$5)", "0*'Inputs'!$B$2",
                     GIVEN["tolerance"])  # fmt: skip
    assert second[0] == "Base: agents is none"


def test_rows_by_year_leave_out_what_a_time_line_has_not(grid):
    grid.lines({}, "year | Year | | 1\nmonth | Month | | 1\ncash | Cash | USD | tax")
    sheet = grid.sheet.book.sheet("Years", "", "", ())
    text = "# Cash\ncash | Cash | usd level\nother | Other | usd flow total"
    assert set(by_year(sheet, 1, [grid], None, text, {}, GIVEN["year_months"])) == {"cash"}


# --- inputs ---------------------------------------------------------------------------------------


def test_inputs_as_they_are_listed():
    one, two, three = listed(
        """
        churn | Customers lost | 0.02 15 | a month | 0 to below 1
        hour | GPU-hour | median 5.12 | USD/h | | Of sellers | rents
        model | Model | llama | id | one of models
        """,
        {"": "Assumed", "rents": "Dated table"}, {"median": 3.99}, {"models": "=Lists!$A$1"},
    )  # fmt: skip
    assert (one.key, one.label, one.values, one.unit) == (
        "churn", "Customers lost", (0.02, 15), "a month",
    )  # fmt: skip
    assert (one.format, one.limit) == ("percent", Limit(0.0, 1.0, high_open=True))
    assert one.first.value == 0.02
    assert (two.values, two.note, two.source) == ((3.99, 5.12), "Of sellers", "Dated table")
    assert (three.values, three.choices, three.limit) == (("llama",), "=Lists!$A$1", None)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("above -1", Limit(-1.0, low_open=True)),
        ("from 1", Limit(1.0)),
        ("whole from 0", Limit(0.0, whole=True)),
        ("whole 1 to 60", Limit(1.0, 60.0, whole=True)),
        ("one of 1,2,4", None),
    ],
)
def test_the_limits_of_an_input(text, limit):
    (field,) = listed(f"a | A | 1 | GPUs | {text}", {"": ""})
    assert field.limit == limit
    assert field.choices == ("" if limit else '"1,2,4"')


def test_limits_that_say_nothing_fail():
    with pytest.raises(ValueError, match="no limits: roughly 3"):
        list(listed("a | A | 1 | GPUs | roughly 3", {"": ""}))


# --- what the words are for -----------------------------------------------------------------------


def content(path: Path) -> int:
    """Count the lines that say something: no blanks, comments, docstrings, imports."""
    text = path.read_text(encoding="utf-8")
    nothing = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
               tokenize.ENDMARKER}  # fmt: skip
    said = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in nothing
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            said -= set(range(node.lineno, node.end_lineno + 1))
        documented = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        if documented and ast.get_docstring(node):
            first = node.body[0]
            said -= set(range(first.lineno, first.end_lineno + 1))
    return len(said)


def test_plan_says_what_it_is_in_under_600_lines():
    folder = Path(templates.__file__).parent / "plan"
    counts = {path.name: content(path) for path in folder.glob("*.py")}
    assert len(counts) == 7
    assert 300 < sum(counts.values()) < 600, counts


def test_lines_that_say_nothing_are_not_counted(tmp_path):
    path = tmp_path / "one.py"
    imports, rows = "import a\nfrom b import (\n    c,\n)\n\n# Why.\n", 'X = """\n  a\n"""\n'
    path.write_text(f'"""Of\nit."""\n\n{imports}{rows}')
    assert content(path) == 3
