"""Excel on Windows by classic xlwings: how cells pass over COM, and the decorated functions.

An argument that is a range is read by `Value2`. `Value`, which xlwings reads, gives a cell in a
currency format as a Decimal of four places: a price per token would lose its digits.

Excel's error values have numbers; COM brings one as an integer 0x800A0000 + number. The other way
only the text goes ("#NUM!"), and the VBA wrapper (`udfs.hosts.excel.vba`) makes it a real error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType, SimpleNamespace
from typing import Any

from udfs.cells import CellError
from udfs.declare import Function
from udfs.hosts.decorated import Cells
from udfs.hosts.decorated import decorated as _decorated

#: Excel's numbers of its error values (XlCVError), as VBA's CVErr takes them.
ERROR_NUMBERS = {
    "#NULL!": 2000,
    "#DIV/0!": 2007,
    "#VALUE!": 2015,
    "#REF!": 2023,
    "#NAME?": 2029,
    "#NUM!": 2036,
    "#N/A": 2042,
    "#GETTING_DATA": 2043,
    "#SPILL!": 2045,
    "#CONNECT!": 2046,
    "#BLOCKED!": 2047,
    "#FIELD!": 2049,
    "#CALC!": 2050,
}
_BASE = 0x800A0000 - 2**32
_CODES = {_BASE + number: code for code, number in ERROR_NUMBERS.items()}
#: Words that VBA keeps for itself (MS-VBAL 3.3.5.2) or that the wrapper uses.
_WORDS = """
    abs addressof and any array as attribute boolean byref byte byval call case cbool cbyte ccur
    cdate cdbl cdec cdecl cint circle clng clnglng clngptr close const csng cstr currency cvar
    cverr date debug decimal declare defbool defbyte defcur defdate defdbl defdec defint deflng
    deflnglng deflngptr defobj defsng defstr defvar dim do doevents double each else elseif empty
    end endif enum eqv erase event exit false fix for friend function get global gosub goto if imp
    implements in input inputb int integer is lbound len lenb let like line lock long longlong
    longptr loop lset me mod new next not nothing null object on open option optional or paramarray
    preserve print private property pset public put raiseevent redim rem resume return rset scale
    seek select set sgn shared single spc static step stop string sub tab then to true type typeof
    ubound unlock until variant wend while with withevents write xor
    application err failed range thisworkbook xlpy
"""
RESERVED = frozenset(_WORDS.split())


class ComCells(Cells):
    """Cells as COM passes them."""

    plain = frozenset((float, str, bool, NoneType))

    @classmethod
    def taken(cls, context: Any) -> Any:
        """Return the values of a range, or what a formula handed over by value."""
        return context.value if context.range is None else context.range.api.Value2

    @classmethod
    def read(cls, cell: Any) -> Any:
        """Return the cell for a value that is not plain: an error, a currency, a date."""
        if isinstance(cell, int):
            if cell in _CODES:
                return CellError(_CODES[cell])
            # An error of a kind that this table does not know yet.
            return CellError("#VALUE!") if _BASE <= cell < _BASE + 2**16 else float(cell)
        return float(cell) if isinstance(cell, Decimal) else cell

    @classmethod
    def written(cls, error: CellError, options: Mapping[str, Any]) -> str:  # noqa: ARG003
        """Return the text that the VBA wrapper turns into the error."""
        return error.code


def vba_name(name: str) -> str:
    """Return an argument's name in VBA, which keeps some words for itself.

    >>> vba_name("price"), vba_name("function")
    ('price', 'function_')
    """
    return f"{name}_" if name in RESERVED else name


def decorated(registry: Mapping[str, Function], udfs: Any = None) -> dict[str, Callable[..., Any]]:
    """Return the functions under the decorators of classic xlwings.

    Parameters
    ----------
    registry : Mapping
        The declared functions by name.
    udfs : ModuleType
        xlwings.udfs, where it is at hand already; off Windows it cannot simply be imported.
    """
    if udfs is None:
        from xlwings import udfs  # noqa: PLC0415  (needs pywin32)
    decorators = SimpleNamespace(func=udfs.xlfunc, arg=udfs.xlarg, ret=udfs.xlret)
    return _decorated(registry, decorators, ComCells, vba_name)
