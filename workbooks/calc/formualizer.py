"""The embedded spreadsheet engine formualizer; every call to it stands in this file.

Its traps, found by experiment (0.13): parallel evaluation runs Python callbacks several times
slower; a workbook must be touched by one thread only; an exception raised in a callback, Ctrl-C
among them, is swallowed; NaN leaks through; None in an array becomes 0.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import formualizer as fz

from udfs.cells import Cell, CellError
from workbooks.calc.calls import Blocks, of_numbers, quick
from workbooks.calc.handed import CODES, FAILURES_ALONE, OwnCall
from workbooks.calc.protocol import (
    ASKED,
    FAILURES,
    FIT,
    LOWERED,
    SPILL,
    SURE,
    CalculatorError,
    CellFunction,
    Question,
    Settings,
    Value,
    calculator_name,
)
from workbooks.calc.together import together
from workbooks.errors import CalculatorFailedError, DeadlineError, NotAWorkbookError
from workbooks.formula.address import MAX_COLUMN
from workbooks.watch import LATE, watched

_KINDS = {code: kind for kind, code in CODES.items()}
_PREFIX = re.compile(r"^(?:_XLDUDF_|_XLUDF\.|_XLL\.)")
#: What the calculator says where spills have not come to rest after five rounds; it can go on.
_UNSETTLED = "did not converge"
_MOST_ROUNDS = 100
#: How many spills one behind the other are followed, where chance keeps them from coming to rest.
_MOST_SPILLS = 20
_SCRATCH = "scratch"
_NO_LIMIT = 1 << 40
_LIMITS = {
    "max_input_bytes": _NO_LIMIT,
    "max_entries": 100_000,
    "max_expanded_bytes": _NO_LIMIT,
    "max_part_bytes": _NO_LIMIT,
    "max_xml_depth": 256,
}


class FormualizerCalculator:
    """One workbook in formualizer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._own: dict[str, CellFunction] = {}
        # What lowering puts into formulas is not asked about.
        self._asked: set[str] = set(LOWERED)
        self._known: dict[str, bool] = {}
        self._workbook: fz.Workbook = fz.Workbook(config=_config(settings))
        self._probe: fz.Workbook | None = None
        self._blocks = Blocks({})
        self._raised: BaseException | None = None
        self._reason = ""
        self._reasons: dict[tuple[int, int], str] = {}
        self._questions: list[Question] = []
        self._told: list[str] = []
        self._failures = 0
        # What was set since the last evaluation; the arrays laid out in this one.
        self._set: dict[tuple[str, int, int], Cell] = {}
        self._laid: list[Any] = []

    def register(self, functions: Mapping[str, CellFunction]) -> None:
        """Add own functions."""
        self._own = {name.upper(): function for name, function in functions.items()}
        self._own |= {FAILURES: self._counted, SURE: self._sure, ASKED: self._asked_for}
        self._own |= {
            name: self._noting(self._own[name]) for name in (FIT, SPILL) if name in self._own
        }
        self._blocks = Blocks(self._own)
        self._known.clear()

    def knows(self, function: str) -> bool:
        """Tell whether a formula may call this function."""
        name = function.upper()
        self._asked.add(name)
        if name in self._own:
            return True
        if name not in self._known:
            self._known[name] = self._probed(name)
        return self._known[name]

    def load(self, path: Path) -> None:
        """Take in a prepared workbook."""
        try:
            self._workbook = fz.Workbook.from_path(
                str(path), backend="native", config=_config(self.settings), load_limits=_LIMITS
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise NotAWorkbookError(f"the calculator cannot read the workbook: {error}") from error
        self._workbook.set_temporal_egress("serial")
        in_blocks = self._blocks.wrapped()
        for name, function in self._own.items():
            # Making a callback takes time; a formula that was not asked about is not there.
            if _PREFIX.sub("", name) not in self._asked:
                continue
            call = OwnCall(in_blocks.get(name, function), self, self.settings.deadline)
            self._workbook.register_function(
                name,
                call if name in in_blocks else quick(function, of_numbers(name, function, call)),
                min_args=0,
                allow_override_builtin=True,
                # Volatile functions are called again in each round.
                volatile=name in in_blocks,
            )
        clock = self.settings.clock
        if clock is not None:
            self._workbook.set_deterministic_clock(clock.replace(tzinfo=UTC), "utc")

    def evaluate(self) -> None:
        """Compute every formula that is not up to date."""
        # A placeholder in a circle of formulas would stay there.
        self._blocks.start(active=not self.settings.iterate)
        self._laid = []
        self._evaluate()
        while self._blocks.answer_noted():
            self._evaluate()
        self._blocks.active = False
        self._until_spills_rest()
        self._set = {}

    def start_from(self, saved: Iterable[tuple[str, int, int, Cell]]) -> None:
        """Let circles of formulas begin with saved values instead of 0, as Excel does.

        A formula begins with what its cell held before: first each is a constant, and then itself.
        """
        if not self._workbook.last_cycle_telemetry().iterated_sccs:
            return
        held: list[tuple[str, int, int, str]] = []
        for sheet, row, column, value in saved:
            name = calculator_name(sheet)
            text = self._workbook.get_formula(name, row, column)
            if text is not None and not any(f"{array}(" in text for array in (FIT, SPILL)):
                held.append((name, row, column, text))
                self._workbook.set_value(name, row, column, _given(value))
        self._evaluate()
        # What hangs on a spill is computed before the spill is, and then not again.
        for _ in range(2 if self._laid else 1):
            for name, row, column, text in held:
                self._workbook.set_formula(name, row, column, text)
            self._evaluate()

    def _until_spills_rest(self) -> None:
        """Set what was set once more, until spills stay as they are.

        A spill that reads cells which hang on another one is computed before those are, and then
        never again; when a whole file is evaluated, it is not.
        """
        before = self._laid
        for _ in range(_MOST_SPILLS if self._set and before else 0):
            self._put(self._set)
            self._laid = []
            self._evaluate()
            if self._laid == before:
                return
            before = self._laid

    def _noting(self, function: CellFunction) -> CellFunction:
        """Return a function that notes the arrays that it gives."""

        def noting(*given: Any) -> Any:
            found = function(*given)
            if isinstance(found, list):
                self._laid.append(found)
            return found

        return noting

    def _evaluate(self) -> None:
        self._raised = None
        deadline = self.settings.deadline
        try:
            with watched(self.settings.watch, deadline, self._workbook.cancel):
                self._in_rounds()
        except (ValueError, RuntimeError, fz.ExcelEvaluationError) as error:
            if self._raised is None and not _passed(deadline):
                raise CalculatorFailedError(f"the workbook cannot be evaluated: {error}") from error
        finally:
            if self._raised is not None:
                self._workbook.reset_cancel()
                raise self._raised
        if _passed(deadline):
            raise DeadlineError(LATE)

    def _in_rounds(self) -> None:
        """Evaluate; again where spills feed spills more often than one evaluation follows."""
        for _ in range(_MOST_ROUNDS):
            try:
                self._workbook.evaluate_all()
                return
            except (ValueError, RuntimeError, fz.ExcelEvaluationError) as error:
                if _UNSETTLED not in str(error):
                    raise
                last = error
        raise last

    def values(self, sheet: str, top: int, left: int, bottom: int, right: int) -> list[list[Any]]:
        """Return the rows of a rectangle as the calculator holds them."""
        name = calculator_name(sheet)
        area = fz.RangeAddress(name, top, left, bottom, right)
        rows: list[list[Any]] = self._workbook.sheet(name).get_values(area)
        return rows

    def value(self, raw: Any) -> Value:
        """Turn one value of the calculator into a cell."""
        if type(raw) is float:
            return raw if math.isfinite(raw) else CellError("#NUM!", "not a finite number")
        if isinstance(raw, dict):
            kind = str(raw.get("kind", ""))
            if kind in CODES:
                return CellError(CODES[kind])
            return CalculatorError(FAILURES_ALONE.get(kind, f"the calculator fails here ({kind})"))
        if isinstance(raw, bool) or raw is None:
            return raw
        if isinstance(raw, int):
            return float(raw)
        return str(raw)

    def set_value(self, sheet: str, row: int, column: int, value: Cell) -> None:
        """Put a constant into a cell."""
        name = calculator_name(sheet)
        self._workbook.set_value(name, row, column, _given(value))
        self._set[name, row, column] = value

    def set_values(self, values: Mapping[tuple[str, int, int], Cell]) -> None:
        """Put constants into cells: each by sheet, row and column."""
        named = {(calculator_name(s), row, column): v for (s, row, column), v in values.items()}
        self._put(named)
        self._set |= named

    def _put(self, values: Mapping[tuple[str, int, int], Cell]) -> None:
        # For each call the calculator goes through all that hangs on what is set.
        for sheet, top, left, rows in together(values):
            given = [[_given(value) for value in row] for row in rows]
            self._workbook.set_values_batch(sheet, top, left, given)

    def set_again(self, sheet: str, column: int, rows: Iterable[int]) -> None:
        """Set constants of a column to what they are, formulas excepted."""
        for row in rows:
            if not self.has_formula(sheet, row, column):
                value = self.value(self.values(sheet, row, column, row, column)[0][0])
                if not isinstance(value, CalculatorError):
                    name = calculator_name(sheet)
                    self._workbook.set_value(name, row, column, _given(value))

    def set_formula(self, sheet: str, row: int, column: int, text: str) -> None:
        """Put a formula into a cell."""
        name = calculator_name(sheet)
        self._workbook.set_formula(name, row, column, f"={text}")
        self._set.pop((name, row, column), None)

    def has_formula(self, sheet: str, row: int, column: int) -> bool:
        """Tell whether a cell holds a formula."""
        return self._workbook.get_formula(calculator_name(sheet), row, column) is not None

    def scratch(self, cells: list[list[Any]], formulas: Sequence[str]) -> list[Value]:
        """Evaluate formulas beside some cells from A1 on, in a workbook of their own."""
        workbook = fz.Workbook(config=_config(self.settings))
        workbook.set_temporal_egress("serial")
        workbook.add_sheet(_SCRATCH)
        sheet = workbook.sheet(_SCRATCH)
        width, count = len(cells[0]), len(formulas)
        given = [[_given(cell) for cell in row] for row in cells]
        sheet.set_values_batch(1, 1, len(cells), width, given)
        column = width + 2
        sheet.set_formulas_batch(1, column, count, 1, [[f"={text}"] for text in formulas])
        workbook.evaluate_all()
        area = fz.RangeAddress(_SCRATCH, 1, column, count, column)
        return [self.value(row[0]) for row in sheet.get_values(area)]

    def close(self) -> None:
        """Let go of the workbook: it holds the callbacks, which hold it, out of Python's sight."""
        self._workbook = self._probe = None  # type: ignore[assignment]
        self._own, self._blocks, self._raised = {}, Blocks({}), None

    def explain(self, questions: Sequence[Question]) -> list[str]:
        """Evaluate formulas anew, far out, and return what their own functions complain of."""
        self._questions, self._told = list(questions), [""] * len(questions)
        taken: Counter[tuple[str, int]] = Counter()
        for number, (sheet, row, text, _) in enumerate(questions):
            name = calculator_name(sheet)
            column = MAX_COLUMN - taken[name, row]
            taken[name, row] += 1
            # Arguments are evaluated from left to right: the first forgets what was before.
            asked = f"={ASKED}({ASKED}({number}),{text})"
            try:
                self._workbook.set_formula(name, row, column, asked)
            except (ValueError, RuntimeError, fz.ParserError):
                continue
        try:
            self._evaluate()
        except CalculatorFailedError:
            return [""] * len(questions)
        return self._told

    def _asked_for(self, number: Any, *result: Any) -> Any:
        """Note what was complained of since a formula began; without a result, it begins."""
        which = int(number)
        if result:
            element = self._questions[which].element
            self._told[which] = self._reasons.get(element, self._reason)
        self._reason, self._reasons = "", {}
        return float(which)

    # --- callbacks -----------------------------------------------------------------------------

    def stop(self, error: BaseException) -> Any:
        """Note what a callback raised, which the calculator would swallow; `evaluate` raises it."""
        if self._raised is None:
            self._raised = error
            self._workbook.cancel()
        return {"type": "Error", "kind": "#VALUE!"}

    def calculator_value(self, result: Any) -> Any:
        """Turn what an own function gave into what the calculator takes."""
        if isinstance(result, CellError):
            # What hands an error on has no reason of its own for it.
            self._reason = result.reason or self._reason
            return {"type": "Error", "kind": result.code}
        if isinstance(result, CalculatorError):
            self._failures += 1
            circle = result.reason == FAILURES_ALONE["Circ"]
            return {"type": "Error", "kind": "Circ" if circle else "NImpl"}
        if isinstance(result, list):
            self._reasons |= {
                (r, c): cell.reason
                for r, row in enumerate(result)
                for c, cell in enumerate(row)
                if isinstance(cell, CellError) and cell.reason
            }
            return [["" if v is None else self.calculator_value(v) for v in row] for row in result]
        return result

    def _counted(self) -> float:
        return float(self._failures)

    def _sure(self, before: Any, result: Any) -> Any:
        # The calculator evaluates arguments from left to right.
        if self._failures > before:
            return CalculatorError("a failure of the calculator lies behind this value")
        return result

    # --- what the calculator has ----------------------------------------------------------------

    def _probed(self, name: str) -> bool:
        if self._probe is None:
            self._probe = fz.Workbook(config=_config(self.settings))
            self._probe.add_sheet("probe")
        try:
            self._probe.set_formula("probe", 1, 1, f"={name}()")
            value = self._probe.evaluate_cell("probe", 1, 1)
        except (ValueError, RuntimeError, fz.ExcelEvaluationError, fz.ParserError):
            return False
        return not (isinstance(value, dict) and value.get("kind") in ("Name", "NImpl"))


def _given(value: Cell) -> Any:
    if isinstance(value, CellError):
        return fz.LiteralValue.error(_KINDS.get(value.code, "Value"), None)
    return value


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _config(settings: Settings) -> fz.WorkbookConfig:
    evaluation = fz.EvaluationConfig()
    evaluation.enable_parallel = False
    evaluation.workbook_seed = settings.seed
    evaluation.date_system = "1904" if settings.date1904 else "1900"
    if settings.deadline is not None:
        left = settings.deadline - time.monotonic()
        evaluation.max_eval_time_ms = max(int(left * 1000), 1)
    # A branch that is not taken closes no circle.
    evaluation.cycle_detection = "runtime"
    if settings.iterate:
        evaluation.cycle_policy = "iterate"
        evaluation.iterate_max_iterations = settings.iterations
        evaluation.iterate_max_change = settings.max_change
    return fz.WorkbookConfig(
        mode=fz.WorkbookMode.Interactive, eval_config=evaluation, enable_changelog=False
    )
