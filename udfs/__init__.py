"""Tokenbook's worksheet functions: `from udfs import *` gives a host every TOK_ function."""

from udfs import functions as _functions
from udfs._cells import CellError
from udfs._declare import Function, registry

__all__ = sorted(["CellError", "Function", "registry", *registry])  # noqa: PLE0604
globals().update({name: getattr(_functions, name) for name in registry})
