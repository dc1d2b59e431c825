"""Tokenbook's worksheet functions: `from udfs import *` gives a host every TOK_ function.

Under xlwings they are plain functions that it exports; otherwise they are `Function` objects.
"""

from udfs import functions as _functions  # noqa: F401  (declares them)
from udfs.cells import CellError
from udfs.declare import Function, registry
from udfs.hosts import exported as _exported

__all__ = ["CellError", "Function", "registry"]
__all__ += [*registry]  # noqa: PLE0604  (they are strings)
globals().update(_exported(registry))
