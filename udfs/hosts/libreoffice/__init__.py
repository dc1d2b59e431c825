"""LibreOffice Calc: the functions as an add-in, and Calc as a second opinion.

- `install`, `uninstall`, `status`: the add-in in the user's LibreOffice.
- `calc_with_functions`, `call_many`: a LibreOffice of our own that knows every function.
- `for_calc`: a formula of an .xlsx as Calc must read it.
"""

from udfs.hosts.libreoffice.addin import build
from udfs.hosts.libreoffice.conformance import ask_many, call_many
from udfs.hosts.libreoffice.formulas import for_calc, is_reference, mentions_functions
from udfs.hosts.libreoffice.office import (
    Calc,
    LibreOfficeError,
    Program,
    calc_with_functions,
    find_soffice,
    program,
)
from udfs.hosts.libreoffice.setup import Finding, install, status, uninstall
from udfs.hosts.libreoffice.values import cells_of

__all__ = [
    "Calc",
    "Finding",
    "LibreOfficeError",
    "Program",
    "ask_many",
    "build",
    "calc_with_functions",
    "call_many",
    "cells_of",
    "find_soffice",
    "for_calc",
    "install",
    "is_reference",
    "mentions_functions",
    "program",
    "status",
    "uninstall",
]
