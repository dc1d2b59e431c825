"""Tokenbook's worksheet functions: `from udfs import *` gives a host every TOK_ function.

Under xlwings they are plain functions that it exports; otherwise they are `Function` objects, which
are declared when the first is asked for: the engine behind them takes long to import.
"""

from typing import TYPE_CHECKING, Any

from udfs.hosts import exported as _exported
from udfs.hosts import running as _running

if TYPE_CHECKING:
    from udfs.cells import CellError
    from udfs.declare import Function, registry

_OTHERS = ("CellError", "Function", "registry")


def __getattr__(name: str) -> Any:
    if name == "CellError":
        from udfs.cells import CellError  # noqa: PLC0415

        return CellError
    if name in (*_OTHERS, "__all__") or name.startswith("TOK_"):
        from udfs import declare  # noqa: PLC0415

        if name == "__all__":
            return [*_OTHERS, *declare.registry]
        if name in _OTHERS:
            return getattr(declare, name)
        if name in declare.registry:
            return declare.registry[name]
    raise AttributeError(f"module 'udfs' has no attribute {name!r}")


if _running():
    # xlwings looks at what the module holds.
    from udfs.cells import CellError
    from udfs.declare import Function, registry

    __all__ = ["CellError", "Function", "registry"]
    __all__ += [*registry]  # noqa: PLE0604  (they are strings)
    globals().update(_exported(registry))
