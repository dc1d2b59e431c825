"""What a spreadsheet program needs beyond the registry, a folder for each.

- `decorated`: the functions as plain Python functions that xlwings' decorators take
- `excel`: Excel on Windows over COM: calls, VBA, the .xlsm that carries it, settings, the set-up
- `officejs`: Excel on Windows, Mac and the web: xlwings Server and Lite, names in a file
- `libreoffice`: Calc: the add-in, and Calc as a second opinion
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

#: The module that xlwings looks into for the functions.
UDF_MODULE = "udfs"


def running() -> str:
    """Return which of xlwings' hosts has imported this: "classic", "officejs", or "" for none.

    xlwings is never imported here: a host has done it before it comes for the functions.
    """
    if "xlwings" not in sys.modules:
        return ""
    if sys.platform == "emscripten" or os.environ.get("XLWINGS_ON_SERVER") == "true":
        return "officejs"
    return "classic" if "xlwings.com_server" in sys.modules else ""


def exported(registry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what `from udfs import *` gives: the functions as the running host takes them."""
    match running():
        case "classic":
            from udfs.hosts.excel import classic  # noqa: PLC0415  (imports xlwings)

            return classic.decorated(registry)
        case "officejs":
            from udfs.hosts.officejs import functions as officejs  # noqa: PLC0415  (imports xlwings)

            return officejs.decorated(registry)
        case _:
            return registry
