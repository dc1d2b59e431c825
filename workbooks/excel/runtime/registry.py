"""The worksheet functions that are answered here: what answers each, and how it takes its cells.

Why the calculator's own is not used says the catalogue (`workbooks/formula/functions.csv`). None is
volatile.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from workbooks.calc.protocol import (
    CRITERIA,
    DIGITS,
    MATCHED,
    NEXT_LOOKUP,
    NEXT_MATCH,
    NUMBER,
    ONE,
    RANKED,
    SHOWN,
    SNAPPED,
    STACKED,
    CalculatorError,
)
from workbooks.excel.runtime import (
    annuities,
    bases,
    bonds,
    cashflows,
    complexes,
    criteria,
    databases,
    dates,
    delimiters,
    depreciation,
    digits,
    discounts,
    distributions,
    lookups,
    matrices,
    multiples,
    pairs,
    ranks,
    references,
    shapes,
    sorting,
    texts,
    units,
)
from workbooks.excel.runtime.coerce import Calendar
from workbooks.excel.runtime.signature import answering


@dataclass(frozen=True, slots=True)
class Answer:
    """What answers a worksheet function.

    Parameters
    ----------
    function : Callable
        Takes what the signature says.
    signature : str
        Its arguments.
    strict : bool
        Whether truth values are refused where numbers are wanted.
    by_calendar : bool
        Whether the function is to be made for a date system first.
    by_system : bool
        Whether the function is to be made for a Mac or another machine first.
    """

    function: Callable[..., Any]
    signature: str
    strict: bool = False
    by_calendar: bool = False
    by_system: bool = False


_BOND = "settlement:date maturity:date"
_COUPON = f"{_BOND} frequency:whole [basis:whole]"
_DURATION = f"{_BOND} coupon yield frequency:whole [basis:whole]"
_FRENCH = "cost purchased:date first:date salvage period rate [basis:whole]"
_PAYMENT = "rate period periods present [future] [due]"
_CUMULATED = "rate periods present start end due"
_DATABASE = "database:raw field:raw criteria:raw"
_COMPLEX = "number:cell"
_DIGITS = "digits:cell [places]"
_MATH_MULTIPLE = "number [significance=1] [mode]"
_DELIMITED = "text:text delimiter:array [instance:cell] [mode:cell] [at_end:cell] [missing:raw]"
_BETA = "x alpha beta [low=0] [high=1]"

#: The functions by name.
ANSWERS: Mapping[str, Answer] = {
    # Matrices and arrays.
    "MMULT": Answer(matrices.mmult, "left:array right:array"),
    "MINVERSE": Answer(matrices.minverse, "matrix:array"),
    "MDETERM": Answer(matrices.mdeterm, "matrix:array"),
    "MUNIT": Answer(matrices.munit, "size:whole"),
    "GAMMA": Answer(distributions.gamma, "x"),
    "FACTDOUBLE": Answer(multiples.double_factorial, "number", strict=True),
    "PROB": Answer(matrices.prob, "values:array chances:array low [high]"),
    "WRAPROWS": Answer(shapes.wrapped(by_rows=True), "vector:raw count:raw [pad:raw]"),
    "WRAPCOLS": Answer(shapes.wrapped(by_rows=False), "vector:raw count:raw [pad:raw]"),
    "EXPAND": Answer(shapes.expand, "array:raw rows:raw [columns:raw] [pad:raw]"),
    "TAKE": Answer(shapes.cut(keep=True), "array:raw rows:raw [columns:raw]"),
    "DROP": Answer(shapes.cut(keep=False), "array:raw rows:raw [columns:raw]"),
    "FILTER": Answer(shapes.filtered, "array:raw include:raw [empty:raw]"),
    "SORT": Answer(sorting.sort, "array:raw [index:raw] [order:raw] [by_column:raw]"),
    "SORTBY": Answer(sorting.sort_by, "array:raw keys:raw*"),
    "UNIQUE": Answer(shapes.unique, "array:raw [by_column:raw] [once:raw]"),
    # Days, bonds and discounts.
    "COUPDAYS": Answer(bonds.coupon_days, _COUPON, strict=True),
    "COUPDAYBS": Answer(bonds.days_before, _COUPON, strict=True),
    "COUPDAYSNC": Answer(bonds.days_after, _COUPON, strict=True),
    "COUPNCD": Answer(bonds.next_coupon, _COUPON, strict=True),
    "COUPPCD": Answer(bonds.last_coupon, _COUPON, strict=True),
    "COUPNUM": Answer(bonds.coupons_left, _COUPON, strict=True),
    "DURATION": Answer(bonds.duration, _DURATION, strict=True),
    "MDURATION": Answer(bonds.modified_duration, _DURATION, strict=True),
    "ACCRINT": Answer(
        bonds.accrued,
        "issue:date first:date settlement:date rate par frequency:whole [basis:whole] "
        "[from_issue:truth=TRUE]",
        strict=True,
    ),
    "ACCRINTM": Answer(
        bonds.accrued_at_maturity,
        "issue:date settlement:date rate [par=1000] [basis:whole]",
        strict=True,
    ),
    "DISC": Answer(discounts.disc, f"{_BOND} price redemption [basis:whole]", strict=True),
    "INTRATE": Answer(discounts.intrate, f"{_BOND} paid redemption [basis:whole]", strict=True),
    "RECEIVED": Answer(discounts.received, f"{_BOND} paid discount [basis:whole]", strict=True),
    "PRICEDISC": Answer(
        discounts.price_disc, f"{_BOND} discount redemption [basis:whole]", strict=True
    ),
    "YIELDDISC": Answer(
        discounts.yield_disc, f"{_BOND} price redemption [basis:whole]", strict=True
    ),
    "PRICEMAT": Answer(
        discounts.price_mat, f"{_BOND} issue:date rate yield [basis:whole]", strict=True
    ),
    "YIELDMAT": Answer(
        discounts.yield_mat, f"{_BOND} issue:date rate price [basis:whole]", strict=True
    ),
    "AMORLINC": Answer(depreciation.amorlinc, _FRENCH, strict=True),
    "AMORDEGRC": Answer(depreciation.amordegrc, _FRENCH, strict=True),
    "CUMIPMT": Answer(annuities.cumipmt, _CUMULATED, strict=True),
    "CUMPRINC": Answer(annuities.cumprinc, _CUMULATED, strict=True),
    "DOLLARDE": Answer(annuities.dollarde, "price fraction", strict=True),
    "DOLLARFR": Answer(annuities.dollarfr, "price fraction", strict=True),
    "EFFECT": Answer(annuities.effect, "nominal periods", strict=True),
    "NOMINAL": Answer(annuities.nominal, "effective periods", strict=True),
    "MROUND": Answer(multiples.mround, "number multiple", strict=True),
    "CONVERT": Answer(units.convert, "number from:text to:text", strict=True),
    # Dates.
    "DATE": Answer(dates.date_of, "year month:whole day", by_calendar=True),
    "TIME": Answer(dates.time, "hours:whole minutes:whole seconds:whole"),
    "YEAR": Answer(dates.year, "date:parts"),
    "MONTH": Answer(dates.month, "date:parts"),
    "DAY": Answer(dates.day, "date:parts"),
    "HOUR": Answer(dates.hour, "time:moment"),
    "MINUTE": Answer(dates.minute, "time:moment"),
    "SECOND": Answer(dates.second, "time:moment"),
    "WEEKDAY": Answer(dates.weekday, "date:parts [kind:whole=1]"),
    "WEEKNUM": Answer(dates.weeknum, "date:parts [kind:whole=1]", strict=True),
    "ISOWEEKNUM": Answer(dates.isoweeknum, "date:parts"),
    "EDATE": Answer(dates.edate, "date:parts months:whole", strict=True),
    "EOMONTH": Answer(dates.eomonth, "date:parts months:whole", strict=True),
    "DAYS": Answer(dates.days, "end start"),
    "DAYS360": Answer(dates.days360, "start:date end:date [european:truth]"),
    "YEARFRAC": Answer(dates.yearfrac, "start end [basis:whole]", strict=True, by_calendar=True),
    "DATEVALUE": Answer(dates.datevalue_of, "text:cell", by_calendar=True),
    "TIMEVALUE": Answer(dates.timevalue_of, "text:cell", by_calendar=True),
    "NETWORKDAYS": Answer(
        dates.networkdays, "start:date end:date [holidays:array]", strict=True, by_calendar=True
    ),
    "NETWORKDAYS.INTL": Answer(
        dates.networkdays_intl,
        "start:date end:date [weekend:raw] [holidays:array]",
        strict=True,
        by_calendar=True,
    ),
    "WORKDAY": Answer(
        dates.workday, "start:date days:whole [holidays:array]", strict=True, by_calendar=True
    ),
    "WORKDAY.INTL": Answer(
        dates.workday_intl,
        "start:date days:whole [weekend:raw] [holidays:array]",
        strict=True,
        by_calendar=True,
    ),
    # Depreciation and annuities.
    "VDB": Answer(
        depreciation.vdb, "cost salvage life start end [factor=2] [no_switch:truth=FALSE]"
    ),
    "DB": Answer(depreciation.db, "cost salvage life period [month=12]"),
    "IPMT": Answer(annuities.ipmt, _PAYMENT),
    "PPMT": Answer(annuities.ppmt, _PAYMENT),
    "ISPMT": Answer(annuities.ispmt, "rate period periods present"),
    "FVSCHEDULE": Answer(annuities.fvschedule, "principal schedule:array"),
    # Cash flows.
    "IRR": Answer(cashflows.irr, "values:array [guess=0.1]"),
    "MIRR": Answer(cashflows.mirr, "values:array finance reinvest"),
    "XNPV": Answer(cashflows.xnpv, "rate values:array dates:array", strict=True),
    "XIRR": Answer(cashflows.xirr, "values:array dates:array [guess=0.1]", strict=True),
    # Multiples and whole numbers.
    "CEILING": Answer(multiples.to_multiple(math.ceil), "number significance"),
    "FLOOR": Answer(multiples.to_multiple(math.floor), "number significance"),
    "CEILING.MATH": Answer(multiples.to_multiple_math(math.ceil), _MATH_MULTIPLE),
    "FLOOR.MATH": Answer(multiples.to_multiple_math(math.floor), _MATH_MULTIPLE),
    "CEILING.PRECISE": Answer(multiples.to_multiple_math(math.ceil), "number [significance=1]"),
    "ISO.CEILING": Answer(multiples.to_multiple_math(math.ceil), "number [significance=1]"),
    "FLOOR.PRECISE": Answer(multiples.to_multiple_math(math.floor), "number [significance=1]"),
    "GCD": Answer(multiples.gcd, "numbers:raw*"),
    "LCM": Answer(multiples.lcm, "numbers:raw*"),
    "MULTINOMIAL": Answer(multiples.multinomial, "numbers:raw*"),
    "PERMUTATIONA": Answer(multiples.permutationa, "count:whole chosen:whole"),
    "POWER": Answer(multiples.power, "base exponent"),
    "COTH": Answer(multiples.coth, "number"),
    "CSCH": Answer(multiples.csch, "number"),
    "SECH": Answer(multiples.sech, "number"),
    "COT": Answer(multiples.of_angle(math.tan), "angle"),
    "CSC": Answer(multiples.of_angle(math.sin), "angle"),
    "SEC": Answer(multiples.of_angle(math.cos), "angle"),
    # Bases.
    "BIN2OCT": Answer(bases.between(2, 8), _DIGITS, strict=True),
    "BIN2HEX": Answer(bases.between(2, 16), _DIGITS, strict=True),
    "OCT2BIN": Answer(bases.between(8, 2), _DIGITS, strict=True),
    "OCT2HEX": Answer(bases.between(8, 16), _DIGITS, strict=True),
    "HEX2BIN": Answer(bases.between(16, 2), _DIGITS, strict=True),
    "HEX2OCT": Answer(bases.between(16, 8), _DIGITS, strict=True),
    "OCT2DEC": Answer(bases.to_decimal(8), "digits:cell", strict=True),
    "HEX2DEC": Answer(bases.to_decimal(16), "digits:cell", strict=True),
    "DEC2BIN": Answer(bases.from_decimal(2), "number:whole [places]", strict=True),
    "DEC2OCT": Answer(bases.from_decimal(8), "number:whole [places]", strict=True),
    "DEC2HEX": Answer(bases.from_decimal(16), "number:whole [places]", strict=True),
    # Complex numbers.
    "IMSQRT": Answer(complexes.of_one(cmath.sqrt), _COMPLEX),
    "IMEXP": Answer(complexes.of_one(cmath.exp), _COMPLEX),
    "IMLN": Answer(complexes.of_one(cmath.log), _COMPLEX),
    "IMLOG10": Answer(complexes.of_one(complexes.logarithm(10)), _COMPLEX),
    "IMLOG2": Answer(complexes.of_one(complexes.logarithm(2)), _COMPLEX),
    "IMSIN": Answer(complexes.of_one(cmath.sin), _COMPLEX),
    "IMCOS": Answer(complexes.of_one(cmath.cos), _COMPLEX),
    "IMTAN": Answer(complexes.of_one(complexes.tan), _COMPLEX),
    "IMSINH": Answer(complexes.of_one(cmath.sinh), _COMPLEX),
    "IMCOSH": Answer(complexes.of_one(cmath.cosh), _COMPLEX),
    "IMCOT": Answer(complexes.of_one(complexes.cot), _COMPLEX),
    "IMSEC": Answer(complexes.of_one(complexes.inverse_of(cmath.cos)), _COMPLEX),
    "IMCSC": Answer(complexes.of_one(complexes.inverse_of(cmath.sin)), _COMPLEX),
    "IMSECH": Answer(complexes.of_one(complexes.inverse_of(cmath.cosh)), _COMPLEX),
    "IMCSCH": Answer(complexes.of_one(complexes.inverse_of(cmath.sinh)), _COMPLEX),
    "COMPLEX": Answer(complexes.make, "real imaginary [suffix:text=i]", strict=True),
    "IMDIV": Answer(complexes.divided, "left:cell right:cell"),
    "IMSUB": Answer(complexes.subtracted, "left:cell right:cell"),
    "IMPOWER": Answer(complexes.power, "number:cell exponent", strict=True),
    "IMSUM": Answer(complexes.total, "numbers:array*"),
    "IMPRODUCT": Answer(complexes.product, "numbers:array*"),
    # Databases.
    "DSUM": Answer(databases.of_field(math.fsum), _DATABASE),
    "DCOUNT": Answer(databases.numbers_counted, _DATABASE),
    "DCOUNTA": Answer(databases.of_field(databases.counted, everything=True), _DATABASE),
    "DGET": Answer(databases.of_field(databases.only, everything=True), _DATABASE),
    "DAVERAGE": Answer(databases.of_field(databases.average), _DATABASE),
    "DPRODUCT": Answer(databases.of_field(databases.product), _DATABASE),
    "DMAX": Answer(databases.of_field(databases.largest), _DATABASE),
    "DMIN": Answer(databases.of_field(databases.smallest), _DATABASE),
    "DVAR": Answer(databases.of_field(databases.spread(sample=True, root=False)), _DATABASE),
    "DVARP": Answer(databases.of_field(databases.spread(sample=False, root=False)), _DATABASE),
    "DSTDEV": Answer(databases.of_field(databases.spread(sample=True, root=True)), _DATABASE),
    "DSTDEVP": Answer(databases.of_field(databases.spread(sample=False, root=True)), _DATABASE),
    # Distributions.
    "CHISQ.DIST": Answer(distributions.chi_dist, "x degrees cumulative:truth"),
    "CHISQ.DIST.RT": Answer(distributions.chi_right, "x degrees"),
    "CHIDIST": Answer(distributions.chi_right, "x degrees"),
    "CHISQ.INV": Answer(distributions.chi_inverse, "p degrees"),
    "CHISQ.INV.RT": Answer(distributions.chi_inverse_right, "p degrees"),
    "CHIINV": Answer(distributions.chi_inverse_right, "p degrees"),
    "F.DIST": Answer(distributions.f_dist, "x first second cumulative:truth"),
    "F.DIST.RT": Answer(distributions.f_right, "x first second"),
    "FDIST": Answer(distributions.f_right, "x first second"),
    "F.INV": Answer(distributions.f_inverse, "p first second"),
    "F.INV.RT": Answer(distributions.f_inverse_right, "p first second"),
    "FINV": Answer(distributions.f_inverse_right, "p first second"),
    "T.DIST": Answer(distributions.t_dist, "x degrees cumulative:truth"),
    "T.DIST.2T": Answer(distributions.t_both, "x degrees"),
    "T.DIST.RT": Answer(distributions.t_right, "x degrees"),
    "T.INV": Answer(distributions.t_inverse, "p degrees"),
    "T.INV.2T": Answer(distributions.t_inverse_both, "p degrees"),
    "TINV": Answer(distributions.t_inverse_both, "p degrees"),
    "BINOM.DIST": Answer(distributions.binomial, "hits trials chance cumulative:truth"),
    "BINOMDIST": Answer(distributions.binomial, "hits trials chance cumulative:truth"),
    "BINOM.INV": Answer(distributions.binomial_inverse, "trials chance level"),
    "CRITBINOM": Answer(distributions.binomial_inverse, "trials chance level"),
    "BETA.DIST": Answer(distributions.beta_dist, "x alpha beta cumulative:truth [low=0] [high=1]"),
    "BETA.INV": Answer(distributions.beta_inverse, "p alpha beta [low=0] [high=1]"),
    "BETAINV": Answer(distributions.beta_inverse, "p alpha beta [low=0] [high=1]"),
    "CONFIDENCE.T": Answer(distributions.confidence_t, "alpha deviation size"),
    "HYPGEOM.DIST": Answer(distributions.hypergeometric, "hits drawn marked size cumulative:truth"),
    "HYPGEOMDIST": Answer(distributions.hypergeometric, "hits drawn marked size"),
    # Sums of pairs.
    "SUMPRODUCT": Answer(pairs.sum_of_products, "arrays:array*"),
    "SUMX2MY2": Answer(pairs.of_pairs(lambda x, y: x * x - y * y), "x:array y:array"),
    "SUMX2PY2": Answer(pairs.of_pairs(lambda x, y: x * x + y * y), "x:array y:array"),
    "SUMXMY2": Answer(pairs.of_pairs(lambda x, y: (x - y) ** 2), "x:array y:array"),
    "MODE": Answer(pairs.mode, "numbers:array*"),
    "MODE.SNGL": Answer(pairs.mode, "numbers:array*"),
    "MODE.MULT": Answer(pairs.modes, "numbers:array*"),
    "FREQUENCY": Answer(pairs.frequency, "data:array limits:array"),
    # Texts.
    "VALUE": Answer(texts.value, "text:cell", by_calendar=True),
    "NUMBERVALUE": Answer(texts.numbervalue, "text:text [decimal:text=.] [group:text]"),
    "ADDRESS": Answer(
        references.address, "row:whole column:whole [kind:whole=1] [a1:truth=TRUE] [sheet:text]"
    ),
    "TYPE": Answer(references.type_of, "value:raw"),
    "FIXED": Answer(texts.fixed, "number [decimals:whole=2] [plain:truth=FALSE]"),
    "REPLACE": Answer(texts.replaced, "text:text start:whole count:whole new:text"),
    "REPLACEB": Answer(texts.replaced, "text:text start:whole count:whole new:text"),
    "TEXTAFTER": Answer(delimiters.beside(before=False), _DELIMITED),
    "TEXTBEFORE": Answer(delimiters.beside(before=True), _DELIMITED),
    "PROPER": Answer(texts.proper, "text:text"),
    "TRIM": Answer(texts.trimmed, "text:text"),
    "CHAR": Answer(texts.char, "number:whole", by_system=True),
    "CODE": Answer(texts.code, "text:text", by_system=True),
}


def one(value: Any) -> Any:
    """Return what is one value; of several, it is not known which is meant."""
    return (
        CalculatorError("several cells where one is wanted") if isinstance(value, list) else value
    )


#: What the passes put into formulas; these take cells as they come.
INNER: Mapping[str, Callable[..., Any]] = {
    NEXT_LOOKUP: lookups.next_lookup,
    NEXT_MATCH: lookups.next_match,
    RANKED: ranks.ranked,
    SHOWN: texts.shown,
    DIGITS: digits.digits,
    SNAPPED: digits.snapped,
    ONE: one,
    MATCHED: lookups.matched,
    CRITERIA: criteria.summed,
    STACKED: shapes.stacked,
}


def functions(*, date1904: bool = False, mac: bool = False) -> dict[str, Callable[..., Any]]:
    """Return all that is answered here by name, for a workbook of one of the date systems.

    `mac` says that Excel on a Mac saved it, whose CHAR and CODE count characters otherwise.
    """
    calendar = Calendar(date1904=date1904)
    answers = {
        name: answering(
            _made(row, calendar, mac=mac),
            row.signature,
            calendar,
            strict=row.strict,
        )
        for name, row in ANSWERS.items()
    }
    return {**answers, **INNER, NUMBER: texts.operand(calendar)}


def _made(row: Answer, calendar: Calendar, *, mac: bool) -> Callable[..., Any]:
    if row.by_calendar:
        return cast(Callable[..., Any], row.function(calendar))
    if row.by_system:
        return cast(Callable[..., Any], row.function(mac=mac))
    return row.function
