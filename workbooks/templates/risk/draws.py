"""Cases and draws: a row each, from the inputs of the row to its cash month by month."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from udfs.functions import TOK_RUNWAY, TOK_SUBSIDY
from workbooks.authoring.layout import Book, Ref, Sheet, call
from workbooks.templates.risk.inputs import FACTOR, FORMATS, KEYS, LABELS

MONTHS = 36
DRAWS = 128
#: From one draw to the next the number of each input moves on by the root of a prime, whole parts
#: left out (Richtmyer, 1951). Of the primes up to 71 these are the least correlated over the draws.
STEPS = tuple(math.sqrt(prime) % 1 for prime in (3, 5, 7, 17, 23, 43, 59, 61))
#: What a runway shows where the cash does not run out.
LASTS = '"lasts"'
# The row's name, its inputs, cost, subsidy and runway stand before its months.
_COST = 2 + len(KEYS)
_FIRST_MONTH = _COST + 3


@dataclass(frozen=True)
class Rows:
    """The rows of a sheet: their names, their runway, and their cash by month."""

    inputs: Ref
    names: Ref
    cost: Ref
    subsidy: Ref
    runway: Ref
    cash: Ref


def add_cases(book: Book, inputs: Mapping[str, Ref], risks: Mapping[str, Sequence[Ref]]) -> Rows:
    """Add what is assumed, then each input alone at its low and at its high value."""
    sheet = _sheet(
        book, "Cases", "Each input alone, low and high",
        "Cost of serving: at its 10th, 90th percentile",
    )  # fmt: skip
    cases = [("Assumed", "", 0)]
    cases += [(f"{LABELS[key]}, {word}", key, i) for i, word in ((0, "low"), (2, "high"))
              for key in KEYS]  # fmt: skip

    def given(row: int, key: str) -> str:
        _, varied, side = cases[row]
        return f"={risks[key][side] if key == varied else inputs[key]}"

    return _rows(sheet, inputs, [name for name, *_ in cases], given)


def add_draws(book: Book, inputs: Mapping[str, Ref], risks: Mapping[str, Sequence[Ref]]) -> Rows:
    """Add the draws: each row takes all inputs from their distributions."""
    sheet = _sheet(
        book, "Draws", f"{DRAWS} draws of all inputs",
        "Evenly spread, and always the same",
    )  # fmt: skip
    sheet.heading("Steps and shapes of the draws")
    top = sheet.row
    for row, text in enumerate(("Step", "First shape", "Second shape"), start=top):
        sheet.put(row, 1, text, "label")
    for column, (key, step) in enumerate(zip(KEYS, STEPS, strict=True), start=2):
        sheet.put(top, column, step, "input", "ratio")
        if key == FACTOR:
            continue
        low, base, high = risks[key]
        for row, (near, far) in ((top + 1, (low, base)), (top + 2, (base, high))):
            share = f"IF({high}>{low},({far}-{near})/({high}-{low}),0)"
            sheet.put(row, column, f"=1+{inputs['middle']}*{share}", "calc", "ratio")
    sheet.row = top + 4

    def given(_: int, key: str) -> str:
        column = 2 + KEYS.index(key)
        step, first, second = (sheet.ref(top + i, column).local for i in range(3))
        number = f"MOD({inputs['half']}+$A{{row}}*{step},1)"
        low, middle, high = risks[key]
        if key == FACTOR:
            # The metalog through three percentiles (Keelin, 2016).
            log_odds = f"LN({inputs['odds']})"
            spread = f"({high}-{low})/({log_odds}+{log_odds})"
            lean = (
                f"({high}+{low}-{middle}-{middle})/(({inputs['tenth']}+{inputs['tenth']})"
                f"*{log_odds})"
            )
            return (f"={middle}+({spread}+{lean}*({number}-{inputs['half']}))"
                    f"*LN({number}/(1-{number}))")  # fmt: skip
        return f"={low}+({high}-{low})*BETAINV({number},{first},{second})"

    return _rows(sheet, inputs, list(range(1, DRAWS + 1)), given)


def _sheet(book: Book, name: str, title: str, subtitle: str) -> Sheet:
    widths = (38, *(14,) * len(KEYS), 14, 14, 12, *(16,) * MONTHS)
    sheet = book.sheet(name, title, subtitle, widths, long=True)
    sheet.side = 1
    return sheet


def _rows(
    sheet: Sheet,
    inputs: Mapping[str, Ref],
    names: Sequence[str | int],
    given: Callable[[int, str], str],
) -> Rows:
    """Write the rows: what is given, cost, subsidy, runway, and the cash month by month."""
    sheet.heading("From inputs to cash by month, USD")
    top, count = sheet.row, len(names)
    header = ("Row", *(LABELS[key] for key in KEYS), "Cost\nUSD/Mtok", "Subsidy\nUSD/Mtok",
              "Runway\nmonths")  # fmt: skip
    for column, text in enumerate(header, start=1):
        sheet.put(top, column, text or None, "header")
    for month in range(1, MONTHS + 1):
        before = get_column_letter(_FIRST_MONTH + month - 2)
        sheet.put(top, _FIRST_MONTH + month - 1, f"=N({before}{top})+1", "header", "integer")
    sheet.heads = top
    for i, name in enumerate(names):
        row = top + 1 + i
        numbered = name if isinstance(name, str) else f"=N(A{row - 1})+1"
        sheet.put(row, 1, numbered, "label" if isinstance(name, str) else "calc", "integer")
        for column, key in enumerate(KEYS, start=2):
            sheet.put(row, column, given(i, key).replace("{row}", str(row)), "calc", FORMATS[key])
        here = {key: f"${get_column_letter(2 + c)}{row}" for c, key in enumerate(KEYS)}
        _add_chain(sheet, row, here, inputs)
    sheet.row = top + count + 2
    columns = {"inputs": (2, len(KEYS)), "names": (1, 1), "cost": (_COST, 1),
               "subsidy": (_COST + 1, 1), "runway": (_COST + 2, 1),
               "cash": (_FIRST_MONTH, MONTHS)}  # fmt: skip
    return Rows(**{
        name: sheet.ref(top + 1, column, count, width)
        for name, (column, width) in columns.items()
    })  # fmt: skip


def _add_chain(sheet: Sheet, row: int, here: Mapping[str, str], inputs: Mapping[str, Ref]) -> None:
    """Write cost, subsidy, runway and cash of one row."""
    hours = f"{here['gpu_hour']}/{inputs['gpu_hour']}*{inputs['utilisation']}/{here['utilisation']}"
    sheet.put(row, _COST, f"={inputs['cost']}*{hours}*{here[FACTOR]}", "calc", "price4")
    cost = f"${get_column_letter(_COST)}{row}"
    sheet.put(row, _COST + 1, f"={call(TOK_SUBSIDY, here['price'], cost)}", "calc", "price4")
    months = call(
        TOK_RUNWAY, inputs["cash"], here["tokens_per_day"], here["price"], cost,
        here["volume_growth"], here["price_change"], here["cost_change"],
    )  # fmt: skip
    sheet.put(row, _COST + 2, f"=IF(ISNA({months}),{LASTS},{months})", "output", "decimal")
    for month in range(MONTHS):
        column = _FIRST_MONTH + month
        before = f"{get_column_letter(column - 1)}{row}" if month else str(inputs["cash"])
        years = f"({get_column_letter(column)}${sheet.heads}-1)/{inputs['months']}"
        sheet.put(
            row, column,
            f"={before}-{here['tokens_per_day']}/{inputs['million']}"
            f"*(1+{here['volume_growth']})^({years})"
            f"*({cost}*(1+{here['cost_change']})^({years})"
            f"-{here['price']}*(1+{here['price_change']})^({years}))"
            f"*{inputs['days']}/{inputs['months']}",
            "calc", "usd",
        )  # fmt: skip
