"""xlwings as it is on Windows, on any machine: real xlwings over a stub of pywin32.

`xlwings_on_windows` imports xlwings as Windows would, with modules of pywin32 that only hold what
xlwings asks of them at import; `Range` is the COM object of a range of cells. What is real: all of
xlwings. What is not: COM, and Excel behind it.
"""

from __future__ import annotations

import asyncio  # noqa: F401  (before sys.platform is changed: it must see the real one)
import ctypes
import datetime as dt
import subprocess  # noqa: F401
import sys
from decimal import Decimal
from functools import cached_property
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401

RANGE_IID = "{00020846-0000-0000-C000-000000000046}"
MISSING = -2147352572  # DISP_E_PARAMNOTFOUND: an optional argument that was left out
_NAMES = (
    "pythoncom",
    "pywintypes",
    "win32api",
    "win32com",
    "win32com.client",
    "win32com.server",
    "win32com.server.dispatcher",
    "win32com.server.policy",
    "win32com.server.util",
    "win32con",
    "win32event",
    "win32gui",
    "win32process",
    "win32timezone",
)


class Currency(Decimal):
    """A cell in a currency format: COM's `Value` gives four places, `Value2` all."""


class ComTime(dt.datetime):
    """A date as `Value` gives it."""


class ComError(Exception):
    """What pywin32 raises."""

    hresult = 0


def _unwrap(value):
    raise ComError("not one of our own objects")


def _dispatch(value, **_):
    return value


def xlwings_on_windows():
    """Import xlwings as it is on Windows and return it."""
    stubs = {name: ModuleType(name) for name in _NAMES}
    for name, module in stubs.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(stubs[parent], child, module)
    stubs["pythoncom"].__file__ = "pythoncom.dll"
    stubs["pythoncom"].CoInitialize = lambda: None
    stubs["pythoncom"].IID_IDispatch = 0
    stubs["pythoncom"].TypeIIDs = {0: type("PyIDispatch", (), {})}
    stubs["pythoncom"].ole_error = ComError
    stubs["pywintypes"].TimeType = ComTime
    stubs["pywintypes"].com_error = stubs["pywintypes"].error = ComError
    stubs["pywintypes"].IID = str
    stubs["win32com.server.util"].unwrap = _unwrap
    stubs["win32process"].GetWindowThreadProcessId = lambda _: (0, 1)
    client = stubs["win32com.client"]
    client.Dispatch = client.DispatchEx = _dispatch
    for name in ("CDispatch", "CoClassBaseClass", "DispatchBaseClass"):
        setattr(client, name, type(name, (), {}))
    client.gencache = SimpleNamespace(EnsureModule=lambda *_, **__: None)
    sys.modules.update(stubs)
    library = mock.MagicMock()
    patches = [
        mock.patch.object(ctypes, name, library, create=True)
        for name in ("windll", "oledll", "PyDLL", "WinDLL", "WINFUNCTYPE")
    ]
    for patch in patches:
        patch.start()
    try:
        with mock.patch.object(sys, "platform", "win32"):
            import xlwings  # noqa: PLC0415
    finally:
        for patch in patches:
            patch.stop()
    assert xlwings.has_pywin32
    return xlwings


class _TypeInfo:
    def GetTypeAttr(self):
        return SimpleNamespace(iid=RANGE_IID)


class _Ole:
    def GetTypeInfo(self):
        return _TypeInfo()


class Range:
    """The COM object of a range; `cells` are rows of what COM gives for `Value2`."""

    _oleobj_ = _Ole()
    Row = Column = Hwnd = 1

    def __init__(self, rows):
        self.rows = rows
        self.Rows = SimpleNamespace(Count=len(rows))
        self.Columns = SimpleNamespace(Count=len(rows[0]))
        # One object stands for the sheet, the book and Excel itself.
        self.Worksheet = self.Parent = self.Application = self

    def _shown(self, value):
        rows = tuple(tuple(value(cell) for cell in row) for row in self.rows)
        return rows[0][0] if len(rows) == len(rows[0]) == 1 else rows

    @cached_property
    def Value2(self):
        return self._shown(_value2)

    @cached_property
    def Value(self):
        return self._shown(_value)


def _value2(cell):
    if isinstance(cell, Currency):
        return float(cell)
    if isinstance(cell, dt.date):
        return serial(cell)
    return cell


def _value(cell):
    if isinstance(cell, Currency):
        return round(Decimal(cell), 4)
    if isinstance(cell, dt.date):
        return ComTime(cell.year, cell.month, cell.day)
    return cell


def serial(day):
    """Return the number that Excel keeps for a date."""
    return float((dt.date(day.year, day.month, day.day) - dt.date(1899, 12, 30)).days)
