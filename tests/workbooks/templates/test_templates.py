"""What holds for every template workbook, and what each of them must say."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree
from openpyxl import load_workbook
from openpyxl.formula import Tokenizer
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.formula import ArrayFormula
from shipped import SCENARIOS, few_first, scenarios_to_try

from engine import applications, claims, energy, market, ownership, pricing, subsidy
from engine.serving import estimates as serving
from engine.serving import front as serving_front
from engine.serving import usd as serving_usd
from udfs.functions import TOK_CAGR
from workbooks import templates
from workbooks.authoring.layout import FLAG, Book, Cell, Ref, Sheet, call
from workbooks.authoring.limits import limited_inputs
from workbooks.authoring.writer import write
from workbooks.build import Built, build
from workbooks.recalc import Report, recalculate
from workbooks.review.second_opinion import second_opinion

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PASSING = "All checks pass"
LONGEST_LIST = 255
#: Functions newer than Excel 2007 want a prefix in the file; none is in use.
PREFIXED = re.compile(r"\b(IFS|XLOOKUP|FILTER|SORT|LET|TEXTJOIN|CONCAT|NORM\.S\.DIST|MAXIFS)\(")


class Made(NamedTuple):
    """A template as laid out and as built."""

    book: Book
    built: Built

    @property
    def path(self) -> Path:
        return self.built.path


@pytest.fixture(scope="module", params=templates.NAMES)
def made(request, built) -> Made:
    return Made(templates.lay_out(request.param), built(request.param))


@pytest.fixture
def changed(built, tmp_path):
    """Return what recalculates a template with other inputs: where, and what it reports."""

    def one(name, **values) -> tuple[Path, Report]:
        path = tmp_path / f"{name}.xlsx"
        return path, recalculate(built(name).path, path, set_values=list(values.items()))

    return one


@pytest.fixture(scope="module")
def formulas(made):
    return load_workbook(made.path)


@pytest.fixture(scope="module")
def values(made):
    return load_workbook(made.path, data_only=True)


def written(workbook) -> Iterator[tuple[str, str, str]]:
    """Give sheet, cell and text of every formula."""
    for worksheet in workbook:
        for row in worksheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, ArrayFormula):
                    yield worksheet.title, cell.coordinate, cell.value.text
                elif cell.data_type == "f":
                    yield worksheet.title, cell.coordinate, cell.value


def cells_of(ref: Ref, workbook):
    place = workbook[ref.sheet][ref.plain]
    return [cell for row in (place if isinstance(place, tuple) else ((place,),)) for cell in row]


# --- values ---------------------------------------------------------------------------------------


def test_every_formula_was_evaluated_and_none_is_in_error(made):
    report = made.built.report
    assert (report.errors, report.unevaluated, report.warnings) == ([], [], [])
    assert report.evaluated > 100


def test_every_formula_shows_a_value(made):
    """In the file itself: openpyxl cannot tell an empty text from no value."""
    with zipfile.ZipFile(made.path) as package:
        sheets = [n for n in package.namelist() if n.startswith("xl/worksheets/sheet")]
        seen = 0
        for name in sheets:
            root = etree.fromstring(package.read(name))
            arrays = [f.get("ref") for f in root.iter(f"{MAIN}f") if f.get("t") == "array"]
            for cell in root.iter(f"{MAIN}c"):
                if cell.find(f"{MAIN}f") is None and not _inside(cell.get("r"), arrays):
                    continue
                seen += 1
                assert cell.find(f"{MAIN}v") is not None, f"{name} {cell.get('r')}"
                assert cell.get("t") != "e", f"{name} {cell.get('r')}"
    assert seen >= made.built.report.evaluated


def _inside(cell: str, places: list[str]) -> bool:
    column, row, *_ = range_boundaries(cell)
    return any(
        left <= column <= right and top <= row <= bottom
        for left, top, right, bottom in map(range_boundaries, places)
    )


def test_all_checks_pass(made, values):
    checks = values["Checks"]
    results = [c.value for c in checks["F"][5:] if c.value not in (None, "Result")]
    limits = [item for items in limited_inputs(made.book).values() for item in items]
    assert len(results) == len(made.book.checks) + len(made.book.sheets) + len(limits)
    assert len(made.book.checks) >= 4
    assert set(results) == {"OK"}
    assert {worksheet["A3"].value for worksheet in values} == {PASSING}


def test_a_check_that_fails_is_told_on_every_sheet(tmp_path):
    book = templates.lay_out("breakeven")
    tolerance = book.checks[0][3]
    book.sheets[0].check("One is two", "1", "2", tolerance)
    write(book, tmp_path / "failing.xlsx")
    recalculate(tmp_path / "failing.xlsx")
    workbook = load_workbook(tmp_path / "failing.xlsx", data_only=True)
    (told,) = {worksheet["A3"].value for worksheet in workbook}
    assert re.fullmatch(r"1 of \d+ checks fail", told)


@pytest.mark.parametrize("name", few_first(["breakeven", "risk"]))
def test_built_twice_it_is_the_same_file(name, built, tmp_path):
    assert build(name, tmp_path).path.read_bytes() == built(name).path.read_bytes()


# --- the other scenarios and choices --------------------------------------------------------------


def test_every_scenario_is_tried(made):
    assert _scenarios(made.book) == SCENARIOS.get(made.book.name, ())


def _scenarios(book: Book) -> tuple[str, ...]:
    selector = book.names.get("scenario")
    if not selector:
        return ()
    sheet = next(s for s in book.sheets if s.name == selector.sheet)
    place = next(choices for ref, choices in sheet.choices if ref == selector)
    if place.startswith('"'):
        return tuple(place.strip('"').split(","))
    left, row, right, _ = range_boundaries(place.lstrip("=").replace("$", ""))
    texts = {(c.row, c.column): c.value for c in sheet.cells}
    return tuple(texts[row, column] for column in range(left, right + 1))


@pytest.mark.parametrize(("name", "scenario"), scenarios_to_try(set(SCENARIOS) - {"plan"}))
def test_checks_hold_in_every_scenario(name, scenario, changed):
    path, report = changed(name, scenario=scenario)
    workbook = load_workbook(path, data_only=True)
    assert workbook["Checks"]["A3"].value == PASSING
    assert not report.unevaluated
    assert report.errors == []


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("ownership", {"years": 1}),
        ("ownership", {"years": 10}),
        ("ownership", {"years": 2, "scenario": "Office hours"}),
        ("market", {"years": 2}),
        ("serving", {"max_gpus": 2}),
        ("serving", {"model": "qwen3-8b"}),
        ("serving", {"seller": "groq: llama-3.3-70b", "offer": "Your own"}),
    ],
)
def test_a_shorter_or_longer_table_leaves_no_error(name, choices, changed):
    path, report = changed(name, **choices)
    assert load_workbook(path, data_only=True)["Checks"]["A3"].value == PASSING
    assert report.clean


def test_a_model_that_does_not_fit_is_told(changed):
    path, _ = changed("serving", model="llama-3.1-405b")
    cost = load_workbook(path, data_only=True)["Cost"]
    told = {row[0].value: row[1].value for row in cost.iter_rows(max_row=14)}
    assert told["Load"] == "does not fit"
    assert told["Output tokens of one GPU"] == "#NUM!"


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("ownership", "rate", 8),  # 800 % of cost of capital
        ("ownership", "gpus", 0),
        ("ownership", "years", 11),
        ("breakeven", "volume_growth_steady", 50),
        ("breakeven", "price_steady", -0.88),
        ("applications", "hit", 1.5),
    ],
)
def test_an_input_outside_its_limits_is_told_on_every_sheet(name, place, value, changed):
    path, _ = changed(name, **{place: value})
    told = {worksheet["A3"].value for worksheet in load_workbook(path, data_only=True)}
    assert PASSING not in told


def test_a_provider_that_earns_does_not_run_out_of_cash(changed):
    path, report = changed("breakeven", price_steady=5)
    workbook = load_workbook(path, data_only=True)
    assert workbook["Subsidy"]["B10"].value == "cash does not run out"
    assert workbook["Cover"]["A3"].value == PASSING
    assert report.errors == []


def test_what_is_paid_anyway_is_in_the_broker_s_bill(changed):
    path, _ = changed("applications", demand=100)
    told = {row[0].value: row[1].value for row in
            load_workbook(path, data_only=True)["Broker"].iter_rows()}  # fmt: skip
    # 192 hours owned and 480 committed are paid though 100 are used.
    assert told["Cost of the mix"] == pytest.approx(192 * 1.61 + 480 * 3.07)
    assert told["Saved by the mix"] < 0


# --- form -----------------------------------------------------------------------------------------


def test_names_stand_for_cells_that_hold_something(made, values):
    assert FLAG in values.defined_names
    for name, defined in values.defined_names.items():
        ((sheet, place),) = defined.destinations
        found = values[sheet][place.replace("$", "")]
        cells = [c for row in found for c in row] if isinstance(found, tuple) else [found]
        assert None not in [cell.value for cell in cells], name


def test_every_input_has_a_name(made):
    named = {(ref.sheet, ref.row, ref.column) for ref in made.book.names.values()}
    for sheet in made.book.sheets:
        if sheet.name != "Inputs":
            continue  # tables of data are reached by their cells
        for cell in sheet.cells:
            if cell.role == "input":
                assert (sheet.name, cell.row, cell.column) in named, cell


_LABELS = ("label", "heading", "header", "remark", "paragraph")
#: A figure in a text: with its currency, percent sign or word of size; not a part of a name.
_FIGURE = re.compile(
    r"(?<![\w.\-–/])(-?)\$?(\d[\d,]*(?:\.\d+)?)\s?(%|thousand|million|billion|trillion|[kMBT]\b)?"
    r"(?![\w/-])"
)
_SIZES = {"%": 0.01, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
          "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}  # fmt: skip


def test_no_label_holds_a_number_of_an_input(made):
    inputs = {
        abs(float(cell.value))
        for sheet in made.book.sheets
        for cell in sheet.cells
        if cell.role == "input" and isinstance(cell.value, int | float)
    } - {0.0, 1.0}
    texts = [made.book.title, made.book.purpose]
    for label, _, _, unit in made.book.headlines:
        texts += [label, unit]
    for sheet in made.book.sheets:
        texts += [sheet.title, sheet.subtitle, *(chart.title for chart in sheet.charts)]
        texts += [
            str(cell.value)
            for cell in sheet.cells
            if cell.value is not None and cell.role in _LABELS
        ]
    for text in texts:
        if text.startswith("=") or "TOK_" in text:  # a formula
            continue
        for _, digits, size in _FIGURE.findall(text):
            if re.fullmatch("20[0-9][0-9]", digits) and not size:
                continue  # a year of the articles, such as heads a column of their figures
            number = float(digits.replace(",", "")) * _SIZES.get(size, 1.0)
            assert not any(number == pytest.approx(value) for value in inputs), text


def test_every_chart_names_its_axes_of_values(made):
    for sheet in made.book.sheets:
        for chart in sheet.charts:
            assert chart.y_title, f"{sheet.name}: {chart.title}"
            assert chart.x_title or chart.kind != "scatter", f"{sheet.name}: {chart.title}"


def test_no_heading_is_the_name_of_a_function(made):
    for sheet in made.book.sheets:
        texts = [sheet.title, sheet.subtitle]
        texts += [str(cell.value) for cell in sheet.cells if cell.role == "heading"]
        assert not [text for text in texts if "TOK_" in text], sheet.name


def test_every_numeric_input_has_limits_that_excel_holds_it_to(made, formulas):
    for sheet, items in limited_inputs(made.book).items():
        rules = {str(r.sqref) for r in formulas[sheet].data_validations.dataValidation}
        chosen = {ref.plain for s in made.book.sheets for ref, _ in s.choices if s.name == sheet}
        for item in items:
            assert item.place.plain in rules or item.place.plain in chosen, item.label


def test_lists_to_choose_from_are_whole_and_hold_what_is_chosen(made, values):
    choices = [(s, ref, text) for s in made.book.sheets for ref, text in s.choices]
    for sheet, ref, text in choices:
        assert len(text) <= LONGEST_LIST
        if text.startswith('"'):
            chosen = {str(cell.value) for cell in cells_of(ref, values)}
            assert chosen <= set(text.strip('"').split(","))
            continue
        chosen = values[ref.sheet][ref.plain].value
        home, _, place = text.lstrip("=").rpartition("!")
        listed = values[home.strip("'") or sheet.name][place.replace("$", "")]
        options = [cell.value for row in listed for cell in row]
        assert chosen in options
        assert None not in options


def test_inputs_alone_are_open(made, formulas):
    for worksheet in formulas:
        assert worksheet.protection.sheet
        for row in worksheet.iter_rows():
            for cell in row:
                is_input = cell.style == "tokenbook input"
                assert cell.protection.locked is not is_input, f"{worksheet.title} {cell}"
                if is_input and worksheet.title != "Cover":
                    assert cell.value is not None
                    assert cell.data_type != "f"


def test_numbers_stand_in_inputs_alone(made, formulas):
    for worksheet in formulas:
        if worksheet.title == "Cover":
            continue
        # Cells that an array formula fills are its values.
        arrays = [c.value.ref for row in worksheet.iter_rows() for c in row
                  if isinstance(c.value, ArrayFormula)]  # fmt: skip
        stray = [
            cell.coordinate
            for row in worksheet.iter_rows()
            for cell in row
            if isinstance(cell.value, int | float)
            and cell.style not in ("tokenbook input", "tokenbook limit")
            and not _inside(cell.coordinate, arrays)
        ]
        assert not stray, worksheet.title


def test_no_formula_holds_a_number_but_0_and_1(made, formulas):
    for sheet, place, text in written(formulas):
        numbers = [
            token.value
            for token in Tokenizer(text).items
            if token.type == "OPERAND" and token.subtype == "NUMBER"
        ]
        assert set(numbers) <= {"0", "1"}, f"{sheet}!{place}: {text}"


def test_no_formula_needs_a_prefix_or_shows_a_cell_twice(formulas):
    for sheet, place, text in written(formulas):
        assert not PREFIXED.search(text), f"{sheet}!{place}"
        assert "#REF!" not in text


def test_every_input_has_label_source_and_every_source_is_told(made):
    told = {short for short, _ in made.book.sources} | {"Convention", "Definition"}
    for sheet in made.book.sheets:
        texts = {(cell.row, cell.column): cell for cell in sheet.cells}
        columns = [(c.row, c.column) for c in sheet.cells if c.value == "Source"]
        for top, column in columns:
            row = top + 1
            while (cell := texts.get((row, column))) is not None and cell.role != "header":
                for source in str(cell.value).split("; "):
                    assert source in told, f"{sheet.name} row {row}"
                row += 1


def test_charts_draw_numbers(made, values):
    charts = [(sheet, chart) for sheet in made.book.sheets for chart in sheet.charts]
    assert charts
    for sheet, chart in charts:
        for line in chart.lines:
            for ref in (line.values, line.across):
                if ref is not None:
                    drawn = [cell.value for cell in cells_of(ref, values)]
                    assert all(isinstance(v, int | float) for v in drawn), chart.title
                    assert not chart.logarithmic or ref is line.across or min(drawn) > 0
            assert any(cell.value for cell in cells_of(line.values, values)), chart.title
        _fits(sheet, chart)


def _fits(sheet: Sheet, chart) -> None:
    """A chart covers no cell: its rows are 20 pixels of 1/96 inch each, or higher."""
    rows = -(-chart.height_cm / 2.54 * 96 // 20)
    covered = range(chart.row, int(chart.row + rows))
    assert not [c for c in sheet.cells if c.row in covered and c.value is not None], chart.title


#: Widths are counted in digits of Calibri 11; a letter of the smaller sizes takes less.
LETTER = {"label": 0.95, "name": 0.95, "note": 0.86, "remark": 0.86, "subtitle": 1.0}


def test_texts_have_room(made):
    for sheet in made.book.sheets:
        filled = {(cell.row, cell.column) for cell in sheet.cells if cell.value is not None}
        for cell in sheet.cells:
            if cell.role not in LETTER or not isinstance(cell.value, str):
                continue
            if cell.value.startswith("="):
                continue
            room, column = 0.0, cell.column
            while column <= len(sheet.widths) and (
                column == cell.column or (cell.row, column) not in filled
            ):
                room += sheet.widths[column - 1]
                column += 1
            assert len(cell.value) * LETTER[cell.role] <= room + 1, f"{sheet.name}: {cell.value}"


def test_numbers_have_room(made, values):
    """The widest number of each column, as its format shows it, is narrower than the column."""
    for sheet in made.book.sheets:
        for cell in sheet.cells:
            value = values[sheet.name].cell(cell.row, cell.column).value
            if isinstance(value, int | float) and not isinstance(value, bool):
                shown = _shown(value, cell.format)
                assert len(shown) + 1 <= sheet.widths[cell.column - 1], f"{sheet.name}: {shown}"


def _shown(value: float, name: str) -> str:
    scale = {"musd": 1e6, "busd": 1e9, "tokens": 1e9, "ttokens": 1e12}.get(name, 1.0)
    digits = {"integer": 0, "usd": 0, "price4": 4, "seconds": 6, "ratio": 3}.get(name, 2)
    if name == "scientific":
        return f"{value:.3E}"
    sign = "$" * (name in ("price", "price4", "usd", "musd", "busd", "margin"))
    return f"{sign}{value / scale:,.{digits}f}{' ' * (scale > 1)}"


def test_a_call_that_no_function_takes_fails_at_once():
    with pytest.raises(TypeError, match="does not take 2 arguments"):
        call(TOK_CAGR, 1, 2)


def test_a_cell_written_twice_is_refused(tmp_path):
    book = templates.lay_out("breakeven")
    book.sheets[0].cells.append(Cell(5, 1, "again", "label"))
    with pytest.raises(ValueError, match="two cells in one place"):
        write(book, tmp_path / "twice.xlsx")


# --- what the workbooks say -----------------------------------------------------------------------

_AGENT = (3.0, 15.0, 8000.0, 800.0, 2000.0)
_OWNED = (35000.0, 3.0, 7000.0, 0.08, 1275.0, 1.3, 0.08, 1500.0)
#: Together AI's price on an H100 of a p5.48xlarge, 64 requests of 1,024 tokens in and out.
_SERVED = ("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8")
_COST = (3000 * 10 + 1000 * 30) / 1e6


def _agrees() -> int:
    return sum(f.verdict == claims.AGREES for f in claims.audit().values())


HEADLINES = {
    ("breakeven", "Loss a year at 10 billion tokens a day"): lambda: subsidy.subsidy_loss(
        10e9, 0.88, 3.88
    ),
    ("breakeven", "Runway on $305M"): lambda: subsidy.runway(305e6, 10e9, 0.88, 3.88) / 12,
    # 1,024 tokens in and out: twice as many are sold as are written.
    ("breakeven", "Utilisation an H100 needs at $0.88"): lambda: pricing.breakeven_utilisation(
        0.88, 5.12, 2 * 1098
    ),
    ("breakeven", "Utilisation, were output tokens alone sold"): lambda: (
        pricing.breakeven_utilisation(0.88, 5.12, 1098)
    ),
    ("buyer", "Cheapest way over the months"): lambda: "GPT-5 mini",
    ("ownership", "Cheapest way to have the server"): lambda: "Own",
    ("ownership", "Owning beats rent on demand from"): lambda: ownership.own_breakeven_hours(
        5.12, *_OWNED
    ),
    ("ownership", "An hour owned, used or not"): lambda: ownership.owned_gpu_hour(*_OWNED),
    ("ownership", "CO2 of a million tokens"): lambda: energy.carbon_per_mtok(
        1275, 2 * 1098, 1.3, 0.367
    ),
    ("ownership", "Electricity and hardware alone"): lambda: energy.price_floor(
        35000, 2 * 1098, 5, 1275, 1.3, 0.08
    ),
    ("applications", "Margin of the subscription, no cap"): lambda: (
        applications.subscription_margin(20, 600, _COST)
    ),
    ("applications", "Margin of the subscription, with the cap"): lambda: (
        applications.subscription_margin(20, 600, _COST, 1.0, 300)
    ),
    ("applications", "The agent session, no cache"): lambda: applications.agent_session(
        40, *_AGENT
    ),
    ("applications", "The agent session, with a prompt cache"): lambda: applications.agent_session(
        40, *_AGENT, 0.9, 0.3
    ),
    ("applications", "A minute of video"): lambda: applications.video_cost(60, 30, 5, 5.12),
    ("applications", "Computing of GPT-4's run, on A100"): lambda: applications.training_cost(
        2.1e25, 312, 0.34, 2
    ),
    ("applications", "Saved by the cheapest mix of compute"): lambda: (
        # 192 private, 480 committed, the rest on demand; the marketplace is too far away.
        1 - (192 * 1.61 + 480 * 3.07 + 228 * 5.12) / (900 * 5.12)
    ),
    ("market", "Cloud AI infrastructure, growth a year"): lambda: market.cagr(55, 110, 2),
    ("market", "A change of -90% in 18 months, a year"): lambda: market.annualised(-0.9, 18),
    ("market", "Tokens a day in the last year"): lambda: market.market_path(
        8.5e9, 2.5, 0.97, -0.5, 6, 0.12
    ).column("tokens/day")[-1],
    ("market", "Price in that year"): lambda: 0.12,
    ("audit", "Figures of the articles that agree"): _agrees,
    ("audit", "Slips of a unit"): lambda: 7,
    ("audit", "Predictions that came out"): lambda: 3,
    # 480 committed, 192 of one's own, 300 of the half committed, 128 at the marketplace.
    ("broker", "Bill of the cheapest split"): lambda: (
        480 * 2.40 + 192 * 1.61 + 300 * 2.90 + 128 * 1.80
    ),
    ("broker", "Paid and not used"): lambda: 0.0,
    ("risk", "What moves the cash most"): lambda: "Change of cost",
    ("risk", "Sellers that more likely than not sell below cost"): lambda: 6,
    ("audit", "Conclusions that turn over"): lambda: 1,
    ("serving", "Output tokens of one GPU"): lambda: serving.throughput(*_SERVED),
    ("serving", "A million tokens, input and output"): lambda: serving_usd.serving_cost(
        5.12, 0.6, *_SERVED
    )[2],
    ("serving", "A million tokens, 10th percentile"): lambda: serving_usd.serving_band(
        5.12, 0.6, *_SERVED
    )[0],
    ("serving", "A million tokens, 90th percentile"): lambda: serving_usd.serving_band(
        5.12, 0.6, *_SERVED
    )[2],
    ("serving", "Use needed, were output tokens alone sold"): lambda: pricing.breakeven_utilisation(
        0.88, 5.12, serving.throughput(*_SERVED)
    ),
    ("serving", "Use that the market price needs"): lambda: pricing.breakeven_utilisation(
        0.88, 5.12, 2 * serving.throughput(*_SERVED)
    ),
    ("serving", "Cheapest configuration"): lambda: min(
        serving_front.pareto(5.12, 0.6, "llama-3.1-70b", "h100_sxm", 1024, 1024, "fp8").columns[4]
    ),
    ("audit", "Runway of the $305M, recomputed"): lambda: claims.claim("runway", "computed_low"),
}


def test_headlines_are_what_the_engine_says(made):
    if made.book.name == "plan":
        pytest.skip("recomputed as a whole in test_plan")
    told = {(made.book.name, label): value for label, value, *_ in made.built.headlines}
    wanted = {key: said for key, said in HEADLINES.items() if key[0] == made.book.name}
    assert wanted
    for key, said in wanted.items():
        expected = said()
        same = expected if isinstance(expected, str) else pytest.approx(float(expected), rel=1e-12)
        assert told[key] == same, key


@pytest.mark.parametrize(
    ("scenario", "cheapest"),
    [("Steady load", "Own"), ("Office hours", "Rent on demand"), ("Cheap rental", "Commit")],
)
def test_each_way_to_an_accelerator_is_the_cheapest_somewhere(scenario, cheapest, changed):
    path, _ = changed("ownership", scenario=scenario)
    assert load_workbook(path, data_only=True)["Cover"]["B9"].value == cheapest


def test_the_audit_shows_every_claim_as_the_engine_has_it(built):
    figures = load_workbook(built("audit").path, data_only=True)["Figures"]
    header, *rows = figures.iter_rows(min_row=5, values_only=True)
    names = [str(text).lower().replace(" ", "_") for text in header]
    shown = {row[0]: dict(zip(names, row, strict=True)) for row in rows if row[0]}
    assert list(shown) == list(claims.audit())
    for name, finding in claims.audit().items():
        expected = claims.shown(finding)
        for field in ("stated_low", "stated_high", "computed_low", "computed_high", "ratio",
                      "verdict", "claim", "unit", "topic"):  # fmt: skip
            assert shown[name][field] == expected[field], (name, field)


def test_the_audit_lets_a_conclusion_stand_again(changed):
    # A loss of 3,000 dollars a million tokens is what the article's annual figure amounts to.
    path, _ = changed("audit", **{"Inputs!B10": 3000.88})
    turning = load_workbook(path, data_only=True)["Turning points"]
    found = [row[2].value for row in turning.iter_rows() if row[0].value == "The conclusion"]
    assert found == ["stands", "stands", "stands"]


# --- other programs -------------------------------------------------------------------------------


@pytest.mark.libreoffice
def test_calc_computes_the_same(made):
    opinion = second_opinion(made.path)
    assert opinion.differences == []
    assert opinion.unknown == []
    assert opinion.compared >= made.built.report.evaluated


@pytest.mark.libreoffice
def test_it_prints(made, tmp_path):
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "pdf", "--outdir", tmp_path, made.path],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    pdf = (tmp_path / f"{made.book.name}.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    # Cover and checks, and each sheet on a page of its own, the long ones on more.
    assert pages >= len(made.book.sheets) + 2


@pytest.mark.ooxml
def test_the_file_follows_the_schema(made):
    run = subprocess.run(
        ["ooxml-validator", made.path], capture_output=True, text=True, timeout=120, check=False
    )
    assert json.loads(run.stdout)["errors"] == []
