"""The plan against a computation of its own: every month, every scenario, under random inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from udfs.cells import CellError
from workbooks import templates
from workbooks.authoring.layout import Limit
from workbooks.authoring.limits import limited_inputs
from workbooks.recalc import setup_for
from workbooks.recalc.run import opened
from workbooks.scenarios.model import Model

SCENARIOS = ("Base", "Upside", "Downside")
PRODUCTS = ("chat", "agent", "batch")
MONTHS = 60
FIRST = 4  # the column of the first month
PASSING = "All checks pass"


@pytest.fixture(scope="module")
def book():
    return templates.lay_out("plan")


@pytest.fixture(scope="module")
def built(built) -> Path:
    return built("plan").path


def inputs_of(book, workbook, scenario: str) -> dict[str, float | str]:
    """Read every input of a scenario by its name."""
    found: dict[str, float | str] = {}
    others = tuple(f"_{s.lower()}" for s in SCENARIOS if s != scenario)
    for name, ref in book.names.items():
        if ref.sheet == "Inputs" and not name.endswith(others):
            found[name.removesuffix(f"_{scenario.lower()}")] = workbook[ref.sheet][ref.plain].value
    return found


def served_of(workbook) -> dict[str, float]:
    """Read what the serving estimate gives: an input of the plan's own arithmetic."""
    sheet = workbook["Serving"]
    (top,) = [
        r for r in range(1, sheet.max_row) if sheet.cell(r, 1).value == "What a replica serves"
    ]
    found = {}
    for i, key in enumerate(PRODUCTS):
        for column, field in ((3, "rate"), (4, "low"), (5, "high")):
            found[f"{key}_{field}"] = sheet.cell(top + 3 + i, column).value
    return found


def rows_of(workbook, scenario: str) -> dict[str, np.ndarray]:
    """Return every row of a scenario by its label."""
    rows = {}
    for row in workbook[scenario].iter_rows(min_row=5, values_only=True):
        values = row[FIRST - 1 : FIRST - 1 + MONTHS]
        if row[0] and all(isinstance(value, int | float) for value in values):
            rows.setdefault(str(row[0]), np.array(values, dtype=float))
    return rows


def recomputed(i: dict, served: dict) -> dict[str, np.ndarray]:
    """Compute the plan month by month, in plain words of arithmetic."""
    month = np.arange(1, MONTHS + 1)
    t = (month - 1) / 12
    orders = [(int(i[f"order_month_{k}"]), float(i[f"order_gpus_{k}"])) for k in (1, 2, 3)]

    def asked(key: str, since: np.ndarray) -> np.ndarray:
        if i[f"{key}_curve"] == "ramp":
            grown = i[f"{key}_start"] * (1 + i["growth"]) ** (since / 12)
            return np.minimum(grown, i[f"{key}_limit"])
        steep = 2 * np.log(9) / i[f"{key}_rise"]
        with np.errstate(over="ignore"):  # long before the midpoint nothing is asked
            away = np.exp(-steep * (since - i[f"{key}_midpoint"]))
        return i[f"{key}_limit"] * i["reach"] / (1 + away)

    requests = {key: asked(key, month - 1.0) for key in PRODUCTS}
    before = sum(asked(key, np.maximum(month - 2.0, 0.0)) for key in PRODUCTS)
    customers = sum(requests.values()) / i["per_customer"]
    won = np.maximum(0, customers - before / i["per_customer"] * (1 - i["churn"]))
    mtok = sum(
        requests[k] * i["month_days"] * (i[f"{k}_in"] + i[f"{k}_out"]) / 1e6 for k in PRODUCTS
    )
    gpus = np.zeros(MONTHS)
    for key in PRODUCTS:
        rush = 1 + (i["peak"] - 1) * (1 - i[f"{key}_batch"])
        peak = requests[key] * i[f"{key}_out"] * rush / 86400
        replica = served[f"{key}_rate"] * (1 + i["efficiency"]) ** t
        wanted = peak * (1 + i["headroom"]) / replica
        gpus += (np.ceil(wanted - 1e-9) + i["spare"]) * float(i["replica"])
    owned, depreciation, bought, sold = (np.zeros(MONTHS) for _ in range(4))
    for at, count in orders:
        start, end = at + i["lag"], at + i["lag"] + i["life"]
        running = (month >= start) & (month < end)
        owned += count * running
        depreciation += count * running * i["capex"] * (1 - i["residual"]) / i["life"]
        bought += count * (month == at) * i["capex"]
        sold += count * (month == end - 1) * i["capex"] * i["residual"]
    reserved = i["committed"] * ((month >= i["commit_from"]) & (month <= i["commit_to"]))
    hour = i["gpu_price"] * (1 + i["gpu_change"]) ** t
    spot = np.maximum(0, gpus - owned - reserved)
    rented = (reserved * i["committed_usd"] + spot * hour) * i["month_hours"]
    energy = owned * i["watts"] / 1000 * i["pue"] * i["month_hours"] * i["usd_kwh"]
    volume = mtok / customers
    edges = [float(i[f"tier_from_{k}"]) for k in (1, 2, 3)] + [np.inf]
    charge = sum(
        i[f"tier_price_{k + 1}"] * np.clip(volume - edges[k], 0, edges[k + 1] - edges[k])
        for k in range(3)
    )
    factor = i["price_level"] * charge / volume * (1 + i["price_change"]) ** t
    revenue = np.zeros(MONTHS)
    for k in PRODUCTS:
        cached = i[f"{k}_cached"]
        each = i[f"{k}_in"] * ((1 - cached) * i[f"{k}_in_price"] + cached * i[f"{k}_cached_price"])
        each = (each + i[f"{k}_out"] * i[f"{k}_out_price"]) * factor / 1e6
        discount = 1 - i[f"{k}_batch"] * i["batch_discount"]
        revenue += requests[k] * i["month_days"] * each * discount
    support = revenue * i["support"]
    space = owned * i["space"]
    team = (i["rd"] + i["ga"]) * (1 + i["people"]) ** t + won * i["cac"]
    gross = revenue - rented - energy - space - support - depreciation
    ebitda = gross + depreciation - team
    state = {"cash": i["cash_start"], "loan": 0.0, "losses": 0.0, "claimed": 0.0, "owed": 0.0,
             "taxed": 0.0, "fixed": 0.0, "kept": 0.0, "paid": i["cash_start"]}  # fmt: skip
    out = {name: np.zeros(MONTHS) for name in ("cash", "gap", "net")}
    due = (rented + energy + space + support + team) * i["dpo"] / i["month_days"]
    claims = revenue * i["dso"] / i["month_days"]
    for m in range(MONTHS):
        number = m + 1
        interest = state["loan"] * i["interest"] / 12
        profit = ebitda[m] - depreciation[m] - interest
        used = min(state["losses"], max(0.0, profit))
        tax = (max(0.0, profit) - used) * i["tax"]
        state["losses"] += max(0.0, -profit) - used
        net = profit - tax
        drawn = i["debt"] * (number == i["debt_month"])
        since = number - i["debt_month"] - i["debt_grace"]
        repaid = (
            min(state["loan"], i["debt"] / i["debt_term"]) if 1 <= since <= i["debt_term"] else 0
        )
        raised = sum(i[f"round_usd_{k}"] * (number == i[f"round_month_{k}"]) for k in (1, 2, 3))
        state["cash"] += net + depreciation[m] - (claims[m] - state["claimed"])
        state["cash"] += due[m] - state["owed"] + tax - state["taxed"]
        state["cash"] += sold[m] - bought[m] + drawn + raised - repaid
        state["loan"] += drawn - repaid
        state["claimed"], state["owed"], state["taxed"] = claims[m], due[m], tax
        state["fixed"] += bought[m] - depreciation[m] - sold[m]
        state["kept"] += net
        state["paid"] += raised
        out["cash"][m], out["net"][m] = state["cash"], net
        out["gap"][m] = state["cash"] + claims[m] + state["fixed"] - (
            due[m] + tax + state["loan"] + state["paid"] + state["kept"]
        )  # fmt: skip
    return {**out, "revenue": revenue, "ebitda": ebitda, "gross": gross, "gpus": gpus, "mtok": mtok}


def compare(book, path: Path) -> bool:
    """Hold every scenario against its recomputation; return whether the books balance in all."""
    workbook = load_workbook(path, data_only=True)
    served, balanced = served_of(workbook), True
    for scenario in SCENARIOS:
        rows = rows_of(workbook, scenario)
        wanted = recomputed(inputs_of(book, workbook, scenario), served)
        for label, key in (
            ("Revenue", "revenue"), ("GPUs needed", "gpus"), ("Tokens sold", "mtok"),
            ("Gross profit", "gross"), ("EBITDA", "ebitda"), ("Net profit", "net"),
            ("Cash, closing", "cash"),
        ):  # fmt: skip
            np.testing.assert_allclose(
                rows[label], wanted[key], rtol=1e-9, atol=1e-6, err_msg=f"{scenario}: {label}"
            )
        gap = rows["Assets less liabilities and equity"]
        size = np.abs(rows["Assets"]).max()
        assert np.abs(gap).max() <= 1e-6 * max(size, 1.0)
        assert np.abs(wanted["gap"]).max() <= 1e-6 * max(size, 1.0)
        balanced &= bool(np.abs(wanted["gap"]).max() <= 1e-6 * max(size, 1.0))
    assert (workbook["Checks"]["A3"].value == PASSING) is balanced
    return balanced


def test_it_is_what_a_computation_of_its_own_gives(book, built):
    assert compare(book, built)


#: Inputs that random values leave as they are: lists, definitions, and ladders of tiers.
KEPT = re.compile(
    r"(scenario|model|accelerator|priced|weights|replica|first_day|year_months|million|"
    r"thousand|tolerance|tier_from_[123]|grid_\w+|\w+_curve)"
)
REQUEST = re.compile(rf"({'|'.join(PRODUCTS)})_(in|out|cached|max_tpot|max_ttft)")
DRAWS, BLOCKS = 100, 10


class Varied(NamedTuple):
    """A numeric input, what it is as built, and what it may be."""

    name: str
    value: float
    limit: Limit
    whole: bool

    def drawn(self, random: np.random.Generator, wide: bool) -> float:
        """Draw a value: about the one as built, or from a twentieth of it to twenty times."""
        size = abs(self.value) or 0.1
        reach = 0.6 * size
        low, high = (-19 * size, 20 * size) if wide else (self.value - reach, self.value + reach)
        limit = self.limit
        least = -0.9 if limit.low is None else limit.low + 1e-3 * limit.low_open
        most = np.inf if limit.high is None else limit.high - 1e-3 * limit.high_open
        # The rates have the limits of their format: 1,000 % a year over five years says nothing.
        most = min(most, 1.0) if self.value < 1.0 and limit.high == 10.0 else most
        drawn = float(random.uniform(max(low, least), min(high, most)))
        if wide and drawn > 0 and least >= 0:
            drawn = float(np.clip(size * 20 ** random.uniform(-1, 1), least, min(high, most)))
        return float(round(drawn)) if self.whole else drawn


def varied(book) -> Iterator[Varied]:
    """Give each numeric input that may be drawn."""
    values = {
        (c.row, c.column): c.value for s in book.sheets if s.name == "Inputs" for c in s.cells
    }
    limits = {
        (item.place.row + r, item.place.column + c): item.limit
        for item in limited_inputs(book)["Inputs"]
        for r in range(item.place.rows)
        for c in range(item.place.columns)
    }
    for name, ref in book.names.items():
        place = (ref.row, ref.column)
        if ref.sheet == "Inputs" and place in limits and not KEPT.fullmatch(name):
            whole = limits[place].whole or name.startswith(("order_", "round_month"))
            yield Varied(name, float(values[place]), limits[place], whole)


#: Rows of a scenario that are held against the computation above, and its names of them.
HELD = {
    "Revenue": "revenue", "GPUs needed": "gpus", "Tokens sold": "mtok", "Gross profit": "gross",
    "EBITDA": "ebitda", "Net profit": "net", "Cash, closing": "cash",
}  # fmt: skip
BALANCE = ("Assets less liabilities and equity", "Assets")


def places_of(book, workbook) -> dict[tuple[str, str], list[str]]:
    """Return the cells of each row that is looked at, and of what the serving estimate gives."""
    found = {}
    for scenario in SCENARIOS:
        for row in workbook[scenario].iter_rows(min_row=5, max_col=1):
            if row[0].value in (*HELD, *BALANCE):
                cells = range(FIRST, FIRST + MONTHS)
                found[scenario, row[0].value] = [
                    f"{scenario}!{get_column_letter(c)}{row[0].row}" for c in cells
                ]
    sheet = workbook["Serving"]
    (top,) = [
        r for r in range(1, sheet.max_row) if sheet.cell(r, 1).value == "What a replica serves"
    ]
    for i, key in enumerate(PRODUCTS):
        found["Serving", key] = [f"Serving!C{top + 3 + i}"]
    return found


@pytest.mark.long
def test_it_balances_and_agrees_under_random_inputs(book, built):
    """A thousand draws within the domains, in blocks: every scenario balances, and is right.

    Whether the flag of the checks says so too is held against the computation above. That the
    workbook computed in blocks is what a recalculation gives, is held by the tests of those.
    """
    drawn = list(varied(book))
    assert len(drawn) > 120
    curves = [f"{k}_curve" for k in PRODUCTS]
    names = [*(v.name for v in drawn), *curves]
    workbook = load_workbook(built)
    as_built = {s: inputs_of(book, workbook, s) for s in SCENARIOS}
    places = places_of(book, workbook)
    assert len(places) == len(SCENARIOS) * (len(HELD) + len(BALANCE)) + len(PRODUCTS)
    outputs = ["Checks!A3", *(cell for cells in places.values() for cell in cells)]
    setup = setup_for()
    passing = served_by = 0
    with opened(built, setup) as job:
        model = Model(job, names, outputs, setup.functions)
        program = model.compiled()
        assert program is not None, model.reason

        @settings(max_examples=BLOCKS, deadline=None, phases=[Phase.generate])
        @given(seed=st.integers(0, 2**32 - 1))
        def agrees(seed: int) -> None:
            nonlocal passing, served_by
            random = np.random.default_rng(seed)
            rows: list[list[float | str]] = []
            for draw in range(DRAWS):
                wide = draw % 2 == 1
                # A request that is too long for the accelerator's memory has no price.
                values: list[float | str] = [
                    v.drawn(random, wide and not REQUEST.fullmatch(v.name)) for v in drawn
                ]
                rows.append([*values, *(str(random.choice(["ramp", "s-curve"])) for _ in curves)])
            texts = program.texts
            given_cells = [texts.gathered(list(column)) for column in zip(*rows, strict=True)]
            flags, *cells = (texts.cells(c, DRAWS) for c in program.run(given_cells, DRAWS))
            by_row = {}
            for key, row in places.items():
                found = [cells.pop(0) for _ in row]
                by_row[key] = np.array([[_number(c) for c in column] for column in found])
            for draw, values in enumerate(rows):
                chosen = dict(zip(names, values, strict=True))
                served = {f"{k}_rate": float(by_row["Serving", k][0, draw]) for k in PRODUCTS}
                if not all(rate > 0 for rate in served.values()):
                    # No load keeps the limits on time: there is no fleet, and the flag says so.
                    assert flags[draw] != PASSING
                    continue
                served_by += 1
                balanced = all(
                    holds(as_built[s], s, chosen, served, by_row, draw) for s in SCENARIOS
                )
                assert (flags[draw] == PASSING) is balanced, (flags[draw], chosen)
                passing += balanced

        agrees()
    assert passing == served_by > 0.9 * DRAWS * BLOCKS


def _number(cell: object) -> float:
    """Return the number of a cell; an error is none."""
    return np.nan if isinstance(cell, CellError) else float(cell)


def holds(as_built, scenario: str, chosen, served, by_row, draw: int) -> bool:
    """Hold a scenario of a draw against its recomputation; return whether that balances."""
    inputs = dict(as_built)
    for name, value in as_built.items():
        inputs[name] = chosen.get(f"{name}_{scenario.lower()}", chosen.get(name, value))
    wanted = recomputed(inputs, served)
    for label, key in HELD.items():
        ours = by_row[scenario, label][:, draw]
        size = max(1.0, np.abs(wanted["revenue"]).max()) if key in ("net", "ebitda") else 0.0
        np.testing.assert_allclose(
            ours, wanted[key], rtol=1e-9, atol=1e-6 + 1e-12 * size, equal_nan=False,
            err_msg=f"{scenario}: {label}",
        )  # fmt: skip
    gap, assets = (by_row[scenario, label][:, draw] for label in BALANCE)
    size = max(1.0, np.abs(assets).max())
    assert np.abs(gap).max() <= 1e-6 * size
    return bool(np.abs(wanted["gap"]).max() <= 1e-6 * size)


def test_a_row_has_one_formula(built):
    """Relative to its own cell, the formula of a row is the same in each month."""
    workbook = load_workbook(built)
    for scenario in SCENARIOS:
        for row in workbook[scenario].iter_rows(
            min_row=5, min_col=FIRST, max_col=FIRST + MONTHS - 1
        ):
            shapes = {_relative(cell) for cell in row if cell.data_type == "f"}
            assert len(shapes) <= 1, f"{scenario} row {row[0].row}"


def _relative(cell) -> str:
    from openpyxl.utils import column_index_from_string as number  # noqa: PLC0415

    def place(found: re.Match[str]) -> str:
        column = found[1]
        return column if column.startswith("$") else f"[{number(column) - cell.column}]"

    return re.sub(r"(?<![A-Za-z_!$'])(\$?[A-Z]{1,3})(?=\$?\d)", place, cell.value)


def test_the_end_of_a_time_line_is_the_last_month(built):
    sheet = load_workbook(built, data_only=True)["Base"]
    assert sheet.cell(5, FIRST + MONTHS - 1).value == MONTHS
    assert sheet.cell(5, FIRST + MONTHS).value is None
    assert get_column_letter(FIRST + MONTHS - 1) == "BK"
