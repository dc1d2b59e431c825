"""What the formulas of a workbook share in JavaScript: its names, what never changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workbooks.page.grid import Grid, Span, UnknownError

_FUNCTION = re.compile(r"\bn_([\w$]+)")
#: Of so many characters in JavaScript are functions of little work.
_LITTLE = 300


@dataclass
class Shared:
    """What formulas share: names as functions, cells that never change, constants."""

    grid: Grid
    #: Names of the workbook and their texts, by the names in upper case.
    names: Mapping[str, str]
    #: Returns a name's JavaScript, what it reads, and whether it is a function.
    write: Callable[[Shared, str], tuple[str, list[Span], bool]]
    #: The definitions so far, each a line of JavaScript.
    lines: list[str] = field(default_factory=list)
    #: Spans that a name reads and that may change, by the name.
    read: dict[str, list[Span]] = field(default_factory=dict)
    #: Names that are functions of little work: it takes longer to remember what they gave.
    light: set[str] = field(default_factory=set)
    _fixed: dict[Span, str] = field(default_factory=dict)
    _arrays: dict[str, str] = field(default_factory=dict)
    _constants: dict[str, str] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def fixed(self, span: Span) -> str:
        """Return what gives the cells of a span that never change."""
        if span not in self._fixed:
            self._fixed[span] = f"k{len(self._fixed)}"
            at = self.grid.number(span.sheet, span.top, span.left)
            self.lines.append(
                f"const {self._fixed[span]} = fixed(range, {at}, {span.rows}, {span.columns});"
            )
        return f"{self._fixed[span]}()"

    def array(self, text: str) -> str:
        """Return a name for an array of constants."""
        if text not in self._arrays:
            self._arrays[text] = f"a{len(self._arrays)}"
            self.lines.append(f"const {self._arrays[text]} = {text};")
        return self._arrays[text]

    def constant(self, text: str) -> str:
        """Return what gives the value of an expression that reads nothing."""
        if text not in self._constants:
            self._constants[text] = f"c{len(self._constants)}"
            self.lines.append(f"const {self._constants[text]} = later(() => {text});")
        return f"{self._constants[text]}()"

    def function(self, name: str) -> str:
        """Return the JavaScript function of a name of the workbook that is a LAMBDA."""
        return self._defined(name, "n_")

    def value(self, name: str) -> str:
        """Return what gives the value of a name that is a formula."""
        return f"{self._defined(name, 'x_')}()"

    def spans(self, name: str) -> list[Span]:
        """Return what a name reads, and the names that it uses."""
        return self.read.get(name, [])

    def _defined(self, name: str, kind: str) -> str:
        identifier = kind + _identifier(name)
        if name in self._failed:
            raise UnknownError(self._failed[name])
        if name in self._open[:-1]:
            # What each reads would not be known before the other is.
            raise UnknownError("names that call each other in a circle")
        if name in self._open:
            # It calls itself; what it reads is gathered where it was begun.
            return identifier
        if name not in self.read:
            self.read[name] = []
            self._open.append(name)
            try:
                self.lines.append(f"const {identifier} = {self._written(name)};")
            except UnknownError as error:
                self._failed[name] = str(error)
                raise
            finally:
                self._open.pop()
        if self._open:
            outer = self.read[self._open[-1]]
            outer += [span for span in self.read[name] if span not in outer]
        return identifier

    def _written(self, name: str) -> str:
        text, spans, is_function = self.write(self, name)
        self.read[name] += [s for s in spans if self.grid.varies(s)]
        if not is_function or self.read[name]:
            return text
        called = set(_FUNCTION.findall(text))
        if len(text) <= _LITTLE and called <= {_identifier(one) for one in self.light}:
            self.light.add(name)
            return text
        return f"remembered({text})"


def _identifier(name: str) -> str:
    """Return a name of the workbook as JavaScript has it."""
    return re.sub(r"\W", lambda m: f"${ord(m[0])}", name)
