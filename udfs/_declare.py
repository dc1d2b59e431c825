"""The declaration of a worksheet function: one line in `functions.py`, seen by every host.

`declare` reads the engine function's signature, annotations and docstring; `Function` answers
cells with cells and never raises. What a cell may hold is decided in `_cells`.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import domains_of, never_of
from engine.errors import InputError, TokenbookError
from engine.tables import Table
from udfs import _cells
from udfs._cells import CellError

#: Every worksheet function by its name, in the order of declaration.
registry: dict[str, Function] = {}
#: Excel's function wizard cuts texts that are longer.
LONGEST_HELP = 255
# Errors of a range are explained one by one, by asking again for the element alone; past this
# many the reason of the last one serves.
_EXPLAINED = 20
_SCALAR_RESULTS = ("number", "text", "value")
_group = ""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as the user sees it."""

    name: str
    help: str
    unit: str
    kind: str
    optional: bool
    default: Any
    same_as: str | None
    allowed: str

    @property
    def text(self) -> str:
        """The line that a function wizard shows."""
        parts = [f"{self.help.rstrip('.')} [{self.unit}]"]
        if self.same_as:
            parts.append(f"default: {self.same_as}")
        elif self.optional and self.default is not None:
            parts.append(f"default: {shown(self.default)}")
        elif self.optional:
            parts.append("optional")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One argument on its way into the engine."""

    value: Any
    shape: tuple[int, ...] = ()
    fault: CellError | None = None
    faults: dict[tuple[int, int], CellError] | None = None


class Function:
    """A worksheet function: cells in, cells out.

    Parameters
    ----------
    engine : Callable
        The engine function that answers.
    name : str
        The name in a cell.
    group : str
        The heading it stands under in lists and in the function wizard.
    expensive : bool
        Whether a host that has many calls should gather them into one (see `call_block`).
    """

    def __init__(self, engine: Callable[..., Any], name: str, group: str, expensive: bool) -> None:
        self.engine = engine
        self.name = name
        self.group = group
        self.expensive = expensive
        parameters = inspect.signature(engine).parameters.values()
        self.parameters = tuple(p.name for p in parameters)
        self.defaults = tuple(p.default for p in parameters)
        self.required = sum(d is inspect.Parameter.empty for d in self.defaults)

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(self.parameters)})>"

    # --- what hosts and lists show -----------------------------------------------------------

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.engine, include_extras=True)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each argument: number, scalar, series, text, model, accelerator or rows."""
        return tuple(_kind(self._hints[name]) for name in self.parameters)

    @cached_property
    def result(self) -> str:
        """Kind of the result: number, text, value, row, column or table."""
        return _kind(self._hints["return"])

    @cached_property
    def broadcasts(self) -> bool:
        """Whether ranges spread the function over their cells."""
        return self.result in (*_SCALAR_RESULTS, "row") and not {"scalar", "series"} & set(
            self.kinds
        )

    @cached_property
    def _doc(self) -> Any:
        import docstring_parser  # noqa: PLC0415  (only for help, never for a call)

        return docstring_parser.parse(
            inspect.getdoc(self.engine) or "", docstring_parser.DocstringStyle.NUMPYDOC
        )

    @cached_property
    def summary(self) -> str:
        """What the function is for, in one line."""
        return str(self._doc.short_description)

    @cached_property
    def unit(self) -> str:
        """Unit of the result."""
        return _help_and_unit(self._doc.returns.description)[1]

    @cached_property
    def returns(self) -> str:
        """What the result is."""
        return _help_and_unit(self._doc.returns.description)[0]

    @cached_property
    def notes(self) -> str:
        """Equation, range of validity and source."""
        return next(
            (str(m.description) for m in self._doc.meta if m.args and m.args[0] == "notes"), ""
        )

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments in order, with help, unit and default."""
        documented = {p.arg_name: p.description or "" for p in self._doc.params}
        domains = domains_of(self.engine)
        arguments = []
        for name, kind, default in zip(self.parameters, self.kinds, self.defaults, strict=True):
            text, unit = _help_and_unit(documented.get(name, ""))
            domain = domains.get(name)
            optional = default is not inspect.Parameter.empty
            arguments.append(
                Argument(
                    name=name,
                    help=text,
                    unit=unit,
                    kind=kind,
                    optional=optional,
                    default=default if optional else None,
                    same_as=domain.same_as if domain else None,
                    allowed=domain.allowed if domain else "",
                )
            )
        return tuple(arguments)

    @property
    def usage(self) -> str:
        """The call as one would type it, optional arguments with their defaults."""
        shown_arguments = []
        for argument in self.arguments:
            if argument.same_as:
                shown_arguments.append(f"{argument.name}={argument.same_as}")
            elif argument.optional:
                default = "none" if argument.default is None else shown(argument.default)
                shown_arguments.append(f"{argument.name}={default}")
            else:
                shown_arguments.append(argument.name)
        return f"{self.name}({', '.join(shown_arguments)})"

    # --- calls -------------------------------------------------------------------------------

    def __call__(self, *cells: Any) -> Any:
        """Answer cells with a cell, or with a list of rows; errors are cells too."""
        if self.plain and set(map(type, cells)) == {float} and self._fits(len(cells)):
            try:
                value = self.engine(*cells)
            except TokenbookError as error:
                return _cells.error_of(error)
            return value if type(value) is str else _cells.cell_of(value, never=self._never)
        if not self._fits(len(cells)):
            return CellError("#VALUE!", self._wrong_count(len(cells)))
        try:
            arguments = [_cells.scalar_of(cell) for cell in cells]
            if self.broadcasts:
                return self._broadcast(arguments)
            return self._whole(arguments)
        except TokenbookError as error:
            return _cells.error_of(error)

    def call_block(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Answer many calls at once, through as few engine calls as their texts allow.

        Each result is what the call alone would have given.
        """
        results: list[Any] = [None] * len(calls)
        blocks: dict[Any, list[int]] = defaultdict(list)
        for place, cells in enumerate(calls):
            key = self._block_key(cells)
            if key is None:
                results[place] = self(*cells)
            else:
                blocks[key].append(place)
        for places in blocks.values():
            if len(places) == 1:
                results[places[0]] = self(*calls[places[0]])
                continue
            columns = [
                [[calls[place][i]] for place in places] if kind == "number" else calls[places[0]][i]
                for i, kind in enumerate(self.kinds[: len(calls[places[0]])])
            ]
            answer = self(*columns)
            if not isinstance(answer, list):
                # Every number is blank in a block without one: all its calls are the same.
                answer = [[answer]] * len(places)
            row = self.result == "row"
            for place, cells in zip(places, answer, strict=True):
                faulty = (
                    row and all(c == cells[0] for c in cells) and isinstance(cells[0], CellError)
                )
                results[place] = [cells] if row and not faulty else cells[0]
        return results

    @cached_property
    def plain(self) -> bool:
        """Whether the function takes numbers alone and gives one number or text."""
        return set(self.kinds) == {"number"} and self.result in ("number", "text")

    @cached_property
    def _never(self) -> str:
        return never_of(self.engine)

    def _fits(self, count: int) -> bool:
        return self.required <= count <= len(self.parameters)

    def _wrong_count(self, count: int) -> str:
        most = len(self.parameters)
        takes = str(most) if self.required == most else f"{self.required} to {most}"
        return f"{self.name} takes {takes} arguments, not {count}: {self.usage}"

    def _block_key(self, cells: Sequence[Any]) -> Any:
        """Return what the calls of one block have in common; None where a call stands alone."""
        if not self.broadcasts or not self._fits(len(cells)) or "number" not in self.kinds:
            return None
        key: list[Any] = [len(cells)]
        for kind, cell in zip(self.kinds, cells, strict=False):
            if isinstance(cell, list | tuple):
                if kind == "number":
                    return None
                key.append(repr(cell))
            elif kind != "number":
                key.append((type(cell), cell))
        return tuple(key)

    def _whole(self, cells: list[Any]) -> Any:
        """Answer a call whose ranges are taken whole."""
        values = []
        for i, cell in enumerate(cells):
            prepared = self._prepare(i, cell)
            if prepared.fault:
                return prepared.fault
            values.append(prepared.value)
        return self._shown(self.engine(*values))

    def _broadcast(self, cells: list[Any]) -> Any:
        """Answer a call whose ranges spread it over their cells."""
        if any(
            kind == "text" and isinstance(cell, list)
            for kind, cell in zip(self.kinds, cells, strict=False)
        ):
            return self._spread_texts(cells)
        prepared = [self._prepare(i, cell) for i, cell in enumerate(cells)]
        shape = _common_shape([p.shape for p in prepared])
        whole = next((p.fault for p in prepared if p.fault), None)
        if whole and not shape:
            return whole
        overlay = _overlay(prepared, shape)
        if whole is None:
            try:
                result = self.engine(*(p.value for p in prepared))
            except TokenbookError as error:
                if not shape:
                    raise
                whole = _cells.error_of(error)
        if not shape:
            return self._shown(result)
        if whole:
            grid: list[list[Any]] = [[whole] * shape[1] for _ in range(shape[0])]
            if self.result == "row" and shape[1] == 1:
                grid = [row * len(get_args(self._hints["return"]) or row) for row in grid]
        else:
            grid = self._grid(result, [p.value for p in prepared], shape, overlay)
        if overlay is not None:
            for r, c in zip(*np.nonzero(overlay != np.array(None)), strict=True):
                grid[r] = (
                    [overlay[r, c]] * len(grid[r])
                    if self.result == "row"
                    else [*grid[r][:c], overlay[r, c], *grid[r][c + 1 :]]
                )
        return grid

    def _spread_texts(self, cells: list[Any]) -> Any:
        """Answer a range of texts cell by cell, gathered into blocks of equal texts."""
        grids = [
            np.empty((1, 1), dtype=object) if kind in ("model", "accelerator", "rows") else None
            for kind in self.kinds[: len(cells)]
        ]
        for i, cell in enumerate(cells):
            rows = [[None]] if grids[i] is not None else _cells.grid_of(cell)
            grid = np.empty((len(rows), len(rows[0])), dtype=object)
            for r, row in enumerate(rows):
                grid[r, :] = row
            if isinstance(cell, list) and self.kinds[i] in ("model", "accelerator", "rows"):
                grid[0, 0] = cell
            elif grids[i] is not None:
                grid[0, 0] = cell
            grids[i] = grid
        shape = _common_shape([grid.shape for grid in grids if grid is not None])
        spread = [np.broadcast_to(grid, shape).ravel() for grid in grids if grid is not None]
        results = self.call_block(list(zip(*spread, strict=True)))
        if self.result == "row":
            return [r[0] if isinstance(r, list) else [r] for r in results]
        width = shape[1]
        return [results[start : start + width] for start in range(0, len(results), width)]

    def _prepare(self, i: int, cell: Any) -> _Prepared:
        """Turn one argument into what the engine takes, or into its fault."""
        name, kind, default = self.parameters[i], self.kinds[i], self.defaults[i]
        optional = default is not inspect.Parameter.empty
        if _cells.is_blank(cell):
            if optional:
                return _Prepared(default)
            what = "text" if kind == "text" else "value" if kind != "number" else "number"
            return _Prepared(
                None, fault=CellError("#VALUE!", f"{name} is blank; a {what} is required")
            )
        if isinstance(cell, CellError):
            return _Prepared(None, fault=cell)
        if kind in ("number", "scalar"):
            if isinstance(cell, list):
                return self._prepare_range(i, cell, optional)
            value = _cells.number(name, cell)
            if isinstance(value, CellError):
                return _Prepared(None, fault=value)
            return _Prepared(value)
        if kind == "series":
            taken = _cells.numbers(name, _cells.grid_of(cell), blank_allowed=False)
            if taken.faults:
                return _Prepared(None, fault=taken.faults[min(taken.faults)])
            return _Prepared(taken.values.ravel())
        if kind == "rows" or (kind in ("model", "accelerator") and isinstance(cell, list)):
            rows = _cells.grid_of(cell)
            error = _cells.first_error(rows)
            return _Prepared(rows, fault=error)
        if not isinstance(cell, str):
            return _Prepared(None, fault=CellError("#VALUE!", f"{name} must be text, not {cell!r}"))
        return _Prepared(cell)

    def _prepare_range(self, i: int, rows: list[list[Any]], optional: bool) -> _Prepared:
        name, default = self.parameters[i], self.defaults[i]
        if self.kinds[i] == "scalar":
            raise InputError(f"{name} must be a single number, not a range")
        same_as = self.arguments[i].same_as if optional and default is None else None
        taken = _cells.numbers(name, rows, blank_allowed=optional and same_as is None)
        values = taken.values
        for place in taken.blanks:
            values[place] = default
        return _Prepared(values, values.shape, None, taken.faults or None)

    def _grid(
        self,
        result: Any,
        values: list[Any],
        shape: tuple[int, ...],
        overlay: NDArray[Any] | None,
    ) -> list[list[Any]]:
        """Turn the engine's arrays into rows of cells, each error with its reason."""
        if self.result == "row":
            if shape[1] != 1:
                raise InputError("a function that returns a row takes columns, not rows or grids")
            array = np.hstack([np.broadcast_to(part, shape) for part in result])
        else:
            array = np.broadcast_to(result, shape)
        grid: list[list[Any]] = array.tolist()
        lost = ~np.isfinite(array) if array.dtype.kind == "f" else array != array
        if overlay is not None and lost.shape == overlay.shape:
            lost &= overlay == np.array(None)
        if lost.any():
            places = list(zip(*np.nonzero(lost), strict=True))
            reason = ""
            for r, c in islice(places, _EXPLAINED):
                place = (r, 0) if self.result == "row" else (r, c)
                reason = self._explain(values, shape, place)
                grid[r][c] = _cells.cell_of(array[r, c], lambda reason=reason: reason, self._never)
            for r, c in places[_EXPLAINED:]:
                grid[r][c] = _cells.cell_of(array[r, c], lambda reason=reason: reason, self._never)
        return grid

    def _explain(self, values: list[Any], shape: tuple[int, ...], place: tuple[int, int]) -> str:
        """Ask the engine for one element alone, for the message that a range has no room for."""
        alone = [
            float(np.broadcast_to(value, shape)[place]) if isinstance(value, np.ndarray) else value
            for value in values
        ]
        try:
            self.engine(*alone)
        except TokenbookError as error:
            return str(error)
        return f"{self.name} has no finite result here"

    def _shown(self, result: Any) -> Any:
        """Turn an engine result that is not spread over a range into cells."""
        if isinstance(result, Table):
            return [list(result.header), *([_cells.cell_of(v) for v in r] for r in result.rows())]
        if isinstance(result, tuple):
            return [[_cells.cell_of(value) for value in result]]
        if isinstance(result, np.ndarray) and result.ndim:
            return [[_cells.cell_of(value)] for value in result.ravel().tolist()]
        return _cells.cell_of(result, never=self._never)


@contextmanager
def group(heading: str) -> Iterator[None]:
    """Put the functions declared inside under one heading."""
    global _group  # noqa: PLW0603  (the heading of the block that is being read)
    _group, before = heading, _group
    try:
        yield
    finally:
        _group = before


def declare(engine: Callable[..., Any], *, name: str = "", expensive: bool = False) -> Function:
    """Make an engine function a worksheet function, in every host.

    Parameters
    ----------
    engine : Callable
        The engine function; its docstring and signature are the help.
    name : str
        The name in a cell, without `TOK_`; the engine's own name where left out.
    expensive : bool
        Whether many calls should be gathered into one vectorised call.
    """
    full_name = f"TOK_{(name or engine.__name__).upper()}"
    if full_name in registry:
        raise ValueError(f"{full_name} is declared twice")
    registry[full_name] = Function(engine, full_name, _group, expensive)
    return registry[full_name]


def shown(value: Any) -> str:
    """Return a default as a formula would write it."""
    return f'"{value}"' if isinstance(value, str) else f"{value:.15g}"


def _kind(hint: Any) -> str:
    if hasattr(hint, "__metadata__"):
        return str(hint.__metadata__[0])
    for option in get_args(hint):
        if hasattr(option, "__metadata__"):
            return str(option.__metadata__[0])
    if hint is Table:
        return "table"
    if hint is float:
        return "number"
    if hint is str or set(get_args(hint)) == {str, type(None)}:
        return "text"
    return "value"


def _help_and_unit(description: str | None) -> tuple[str, str]:
    text = " ".join((description or "").split())
    if not text.endswith("]"):
        return text, ""
    text, _, unit = text[:-1].rpartition("[")
    return text.strip().rstrip("."), unit


def _common_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        told = ", ".join(f"{s[0]}×{s[1]}" for s in shapes if s)
        raise InputError(f"ranges of {told} cells do not fit together") from None


def _overlay(prepared: list[_Prepared], shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the faults that came in, spread over the result; the leftmost argument's win."""
    if not any(p.faults for p in prepared):
        return None
    overlay = np.full(shape, None, dtype=object)
    for argument in reversed(prepared):
        if argument.fault:
            overlay[:] = argument.fault
        if not argument.faults:
            continue
        grid = np.full(argument.shape, None, dtype=object)
        for place, fault in argument.faults.items():
            grid[place] = fault
        spread = np.broadcast_to(grid, shape)
        mask = spread != np.array(None)
        overlay[mask] = spread[mask]
    return overlay
