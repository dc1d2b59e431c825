"""The declaration of a worksheet function: one line in `functions.py`, seen by every host.

`declare` reads the engine function's signature, annotations and docstring. How cells become
arguments and results become cells is told in `_cells` and `_calls`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

from engine.elementwise import domains_of, never_of
from engine.tables import Table
from udfs.calls import answer, answer_block

#: Excel's function wizard cuts texts that are longer.
LONGEST_HELP = 255
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
    def shown_default(self) -> str:
        """The default as a formula would write it; empty where there is none."""
        if self.same_as:
            return self.same_as
        if self.default is None:
            return "none" if self.optional else ""
        if isinstance(self.default, str):
            return f'"{self.default}"'
        if isinstance(self.default, tuple):
            return f"{{{','.join(f'{one:.15g}' for one in self.default)}}}"
        return f"{self.default:.15g}"

    @property
    def text(self) -> str:
        """The line that a function wizard shows."""
        default = f"; default: {self.shown_default}" if self.optional else ""
        return f"{self.help} [{self.unit}]{default}"


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

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(self.parameters)})>"

    def __call__(self, *cells: Any) -> Any:
        """Answer cells with a cell, or with a list of rows; errors are cells, never raised."""
        return answer(self, cells)

    def call_block(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Answer many calls at once; each result is what the call alone would have given."""
        return answer_block(self, calls)

    # --- what a call needs to know -----------------------------------------------------------

    # Each is read when it is asked for: of all functions a workbook calls few.

    @cached_property
    def _signature(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.engine).parameters

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments."""
        return tuple(self._signature)

    @cached_property
    def defaults(self) -> tuple[Any, ...]:
        """What each argument is where it is left out; `inspect.Parameter.empty` for none."""
        return tuple(parameter.default for parameter in self._signature.values())

    @cached_property
    def required(self) -> int:
        """How many arguments have no default [-]."""
        return sum(default is inspect.Parameter.empty for default in self.defaults)

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
        # Every function is asked for it, and the arguments take longer to read.
        given = SimpleNamespace(__annotations__={"return": self.engine.__annotations__["return"]})
        names = inspect.unwrap(self.engine).__globals__
        return _kind(get_type_hints(given, names, include_extras=True)["return"])

    @cached_property
    def plain(self) -> bool:
        """Whether the function takes numbers alone and gives one number or text."""
        return set(self.kinds) == {"number"} and self.result in ("number", "text")

    @cached_property
    def broadcasts(self) -> bool:
        """Whether ranges spread the function over their cells; a series is taken whole."""
        kinds = set(self.kinds)
        whole = "scalar" in kinds or ("series" in kinds and "number" not in kinds)
        return self.result in ("number", "text", "value", "row") and not whole

    @cached_property
    def never(self) -> str:
        """What an infinite result means; empty where it means nothing."""
        return never_of(self.engine)

    @cached_property
    def same_as(self) -> tuple[int | None, ...]:
        """For each argument, the place of the one that it equals where it is left out."""
        domains = domains_of(self.engine)
        lenders = (domains[n].same_as if n in domains else None for n in self.parameters)
        return tuple(self.parameters.index(n) if n else None for n in lenders)

    @cached_property
    def series(self) -> dict[int, tuple[float | None, str]]:
        """For each series by its place: what a blank stands for, and what its elements are."""
        domains = domains_of(self.engine)
        return {
            i: (domains[name].blank, domains[name].per)
            for i, (name, kind) in enumerate(zip(self.parameters, self.kinds, strict=True))
            if kind == "series"
        }

    # --- what hosts and lists show -----------------------------------------------------------

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
    def returns(self) -> str:
        """What the result is."""
        return _help_and_unit(self._doc.returns.description)[0]

    @cached_property
    def unit(self) -> str:
        """Unit of the result."""
        return _help_and_unit(self._doc.returns.description)[1]

    @cached_property
    def notes(self) -> str:
        """Equation, range of validity and source."""
        notes = (str(m.description) for m in self._doc.meta if m.args and m.args[0] == "notes")
        return next(notes, "")

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments in order, with help, unit and default."""
        documented = {p.arg_name: p.description for p in self._doc.params}
        domains = domains_of(self.engine)
        arguments = []
        for name, kind, default in zip(self.parameters, self.kinds, self.defaults, strict=True):
            text, unit = _help_and_unit(documented.get(name))
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
        told = (f"{a.name}={a.shown_default}" if a.optional else a.name for a in self.arguments)
        return f"{self.name}({', '.join(told)})"


class Registry(Mapping[str, Function]):
    """The worksheet functions by name, declared when one is asked for.

    Parameters
    ----------
    declarations : str
        The module that declares them; it imports the whole engine, which takes long.
    """

    def __init__(self, declarations: str) -> None:
        self._declarations = declarations
        self._declared: dict[str, Function] = {}

    def add(self, function: Function) -> None:
        """Add a function; a name is taken once."""
        if function.name in self._declared:
            raise ValueError(f"{function.name} is declared twice")
        self._declared[function.name] = function

    def _all(self) -> dict[str, Function]:
        import_module(self._declarations)
        return self._declared

    def __getitem__(self, name: str) -> Function:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


#: Every worksheet function by its name, in the order of declaration.
registry = Registry("udfs.functions")


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
    function = Function(engine, full_name, _group, expensive)
    registry.add(function)
    return function


def _kind(hint: Any) -> str:
    for option in (hint, *get_args(hint)):
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
    text = " ".join((description or "").split()).rstrip(".")
    if not text.endswith("]"):
        return text, ""
    text, _, unit = text[:-1].rpartition("[")
    return text.strip().rstrip("."), unit
