"""What is questionable in a workbook's formulas, whatever their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from workbooks.formula.address import column_number, full_name, quote_sheet
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Name, Node, Number, Single, TableReference, children, walk
from workbooks.ooxml.book import SheetInfo
from workbooks.ooxml.scan import ATTRIBUTES, COLUMN, FORMULA, ROW, TEXT
from workbooks.ooxml.xml import unescape
from workbooks.recalc.job import Job

#: Functions that a file must name with the prefix _xlfn., or Excel shows #NAME? (the list that
#: XlsxWriter's documentation gives under "Formulas added in Excel 2010 and later").
FUTURE = frozenset(
    """
    ACOT ACOTH AGGREGATE ANCHORARRAY ARABIC ARRAYTOTEXT BASE BETA.DIST BETA.INV BINOM.DIST
    BINOM.DIST.RANGE BINOM.INV BITAND BITLSHIFT BITOR BITRSHIFT BITXOR BYCOL BYROW CEILING.MATH
    CEILING.PRECISE CHISQ.DIST CHISQ.DIST.RT CHISQ.INV CHISQ.INV.RT CHISQ.TEST CHOOSECOLS
    CHOOSEROWS COMBINA CONCAT CONFIDENCE.NORM CONFIDENCE.T COT COTH COVARIANCE.P COVARIANCE.S CSC
    CSCH DAYS DECIMAL DROP ERF.PRECISE ERFC.PRECISE EXPAND EXPON.DIST F.DIST F.DIST.RT F.INV
    F.INV.RT F.TEST FILTER FILTERXML FLOOR.MATH FLOOR.PRECISE FORECAST.ETS FORECAST.LINEAR
    FORMULATEXT GAMMA GAMMA.DIST GAMMA.INV GAMMALN.PRECISE GAUSS HSTACK HYPGEOM.DIST IFNA IFS
    IMCOSH IMCOT IMSEC IMSINH IMTAN ISFORMULA ISOMITTED ISOWEEKNUM LAMBDA LET LOGNORM.DIST
    LOGNORM.INV MAKEARRAY MAP MAXIFS MINIFS MODE.MULT MODE.SNGL MUNIT NEGBINOM.DIST
    NETWORKDAYS.INTL NORM.DIST NORM.INV NORM.S.DIST NORM.S.INV NUMBERVALUE PDURATION
    PERCENTILE.EXC PERCENTILE.INC PERCENTRANK.EXC PERCENTRANK.INC PERMUTATIONA PHI POISSON.DIST
    QUARTILE.EXC QUARTILE.INC RANDARRAY RANK.AVG RANK.EQ REDUCE RRI SCAN SEC SECH SEQUENCE SHEET
    SHEETS SINGLE SKEW.P SORT SORTBY STDEV.P STDEV.S SWITCH T.DIST T.DIST.2T T.DIST.RT T.INV
    T.INV.2T T.TEST TAKE TEXTAFTER TEXTBEFORE TEXTJOIN TEXTSPLIT TOCOL TOROW UNICHAR UNICODE
    UNIQUE VALUETOTEXT VAR.P VAR.S VSTACK WEBSERVICE WEIBULL.DIST WORKDAY.INTL WRAPCOLS WRAPROWS
    XLOOKUP XMATCH XOR Z.TEST
    """.split()  # noqa: SIM905
)
#: Numbers that say nothing about the model: units, percent, months, days, signs.
INNOCENT = frozenset((0, 1, 2, 10, 12, 24, 60, 100, 365, 1000, 3600, 8760, 1e6, 1e9, 1e12))
#: Functions whose numbers choose a column, a digit or a way of working.
_SETTINGS = frozenset(
    """
    INDEX MATCH VLOOKUP HLOOKUP ROUND ROUNDUP ROUNDDOWN TEXT CHOOSE OFFSET SUBTOTAL DATE LARGE
    SMALL XLOOKUP XMATCH LEFT RIGHT MID
    """.split()  # noqa: SIM905
)
#: A list longer than this in a validation makes Excel call the file damaged.
LONGEST_LIST = 255
#: So many equal calls below each other would be one call as an array.
BLOCK = 20
_LIST = re.compile(rb"<formula1>(?:\"|&quot;)([^<]*?)(?:\"|&quot;)</formula1>")


class Lint(NamedTuple):
    """Something questionable, and where."""

    address: str
    rule: str
    message: str


@dataclass(slots=True)
class _Run:
    """Calls of one function below each other, alike but for their row."""

    first: int
    last: int
    pattern: str
    function: str


@dataclass(slots=True)
class Linter:
    """Looks through the formulas of one workbook."""

    job: Job

    def lints(self) -> Iterator[Lint]:
        """Yield what is questionable, sheet by sheet."""
        yield from self._names()
        for info in self.job.book.sheets:
            yield from self._sheet(info)

    def _names(self) -> Iterator[Lint]:
        for name in self.job.book.names:
            if "#REF!" in name.text:
                yield Lint(name.name, "broken-name", f"stands for {name.text}")
            elif (missing := self._missing_sheet(name.text)) is not None:
                yield Lint(name.name, "missing-sheet", f"refers to the sheet {missing!r}")

    def _missing_sheet(self, text: str) -> str | None:
        try:
            tree = parse(text)
        except FormulaError:
            return None
        for node in walk(tree):
            if isinstance(node, Reference | Name) and node.sheet not in (None, "[0]"):
                for sheet in (node.sheet, getattr(node, "to_sheet", None)):
                    if sheet and self.job.book.sheet(sheet) is None:
                        return sheet
        return None

    def _sheet(self, info: SheetInfo) -> Iterator[Lint]:
        runs: dict[int, _Run] = {}
        parts = list(self.job.sheets.parts(info))
        for rows in parts[1:-1]:
            for match in FORMULA.finditer(rows):
                text = unescape(match[TEXT] or b"")
                if not text:
                    continue
                row, column = int(match[ROW]), column_number(match[COLUMN].decode())
                address = full_name(info.name, row, column)
                for rule, message in self._formula(text):
                    yield Lint(address, rule, message)
                if not match[ATTRIBUTES]:
                    ended = self._run(runs, row, column, text)
                    if ended is not None:
                        yield self._block(info, column, ended)
        for column, run in runs.items():
            if run.last - run.first + 1 >= BLOCK:
                yield self._block(info, column, run)
        for found in _LIST.finditer(parts[-1]):
            if len(unescape(found[1])) > LONGEST_LIST:
                yield Lint(
                    quote_sheet(info.name),
                    "long-list",
                    f"a validation list of {len(unescape(found[1]))} characters; "
                    f"Excel takes {LONGEST_LIST}",
                )

    def _formula(self, text: str) -> Iterator[tuple[str, str]]:
        try:
            tree = parse(text)
        except FormulaError as error:
            yield "not-a-formula", str(error)
            return
        if "#REF!" in text:
            yield "broken-reference", f"{text} refers to cells that are gone"
        missing = self._missing_sheet(text)
        if missing is not None:
            yield "missing-sheet", f"refers to the sheet {missing!r}"
        for node in walk(tree):
            prefixed = isinstance(node, Call) and node.prefix.lower().startswith("_xlfn.")
            if isinstance(node, Call) and node.name in FUTURE and not prefixed:
                yield "unprefixed", f"{node.name} must be stored as _xlfn.{node.name}"
        constants = list(_constants(tree))
        refers = any(isinstance(n, Reference | Name | TableReference) for n in walk(tree))
        if constants and refers:
            yield "constant", f"holds {', '.join(constants)}; an input cell could be changed"

    def _run(self, runs: dict[int, _Run], row: int, column: int, text: str) -> _Run | None:
        """Note one more formula of a column; return the run that it ends, if that was long."""
        function = re.match(r"(?:_xldudf_|_xll\.)?([A-Z0-9_.]+)\(", text)
        name = function[1] if function else ""
        pattern = re.sub(rf"(?<![0-9]){row}(?![0-9])", "#", text)
        run = runs.get(column)
        if run is not None and run.last == row - 1 and run.pattern == pattern:
            run.last = row
            return None
        ended = runs.pop(column, None)
        if name in self.job.own and not self.job.own[name].arrays:
            runs[column] = _Run(row, row, pattern, name)
        return ended if ended is not None and ended.last - ended.first + 1 >= BLOCK else None

    def _block(self, info: SheetInfo, column: int, run: _Run) -> Lint:
        count = run.last - run.first + 1
        return Lint(
            full_name(info.name, run.first, column),
            "cell-by-cell",
            f"{run.function} is called in {count} cells below each other; one array formula over "
            "them calls it once",
        )


def _constants(node: Node, inside: str = "") -> Iterator[str]:
    """Yield the numbers that say something about the model."""
    if isinstance(node, Number) and inside not in _SETTINGS and float(node.text) not in INNOCENT:
        yield node.text
    inside = node.name if isinstance(node, Call) else inside if isinstance(node, Single) else ""
    for child in children(node):
        yield from _constants(child, inside)
