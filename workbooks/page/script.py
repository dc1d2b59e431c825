"""JavaScript run from Python, so that a page's own script computes the page before it is written.

QuickJS is an interpreter that needs nothing but WebAssembly, which runs here as in a browser: no
Node and no browser is asked for. What is run is the very text that the page carries.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Any

import wasmtime as wt

from workbooks.errors import CalculatorFailedError

ASSETS = Path(__file__).with_name("assets")
WASM = ASSETS / "quickjs.wasm.gz"
# The functions of QuickJS by the letters that its build calls them.
_START, _MALLOC, _FREE = "v", "w", "N"
_RUNTIME, _CONTEXT, _STACK = "L", "O", "E"
_EVAL, _EXCEPTION, _STRING, _DUMP = "qa", "oa", "aa", "pa"
_FREE_VALUE, _FREE_STRING = "Q", "T"
_PAGE = 65536
#: Bytes of its stack that a script may use; formulas are computed one after the other, not nested.
_DEEPEST = 900_000
_NO_SEEKING, _BAD = 70, 52


class ScriptError(CalculatorFailedError):
    """A page's script fails; the message says how."""


class Script:
    """A JavaScript program with its own memory."""

    def __init__(self, source: str, name: str = "page.js") -> None:
        engine = _engine()
        self._store = wt.Store(engine)
        self._memory = wt.Memory(self._store, wt.MemoryType(wt.Limits(256, 32768)))
        module = wt.Module(engine, gzip.decompress(WASM.read_bytes()))
        linker = wt.Linker(engine)
        given = _imports(self)
        for one in module.imports:
            what = (
                self._memory if one.name == "a"
                else wt.Func(self._store, one.type, given.get(one.name, _missing(one.name)))
            )  # fmt: skip
            linker.define(self._store, one.module, one.name, what)
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self._call(_START)
        runtime = self._call(_RUNTIME)
        self._call(_STACK, runtime, _DEEPEST)
        self._context = self._call(_CONTEXT, runtime, 0)
        self._name = self._text(name)
        self.run(source)

    def run(self, source: str) -> str:
        """Return what a script comes to, as a text."""
        text = self._text(source)
        size = len(source.encode())
        value = self._call(_EVAL, self._context, text, size, self._name, 0, 0)
        self._call(_FREE, text)
        failed = self._call(_EXCEPTION, self._context, value)
        if failed:
            raise ScriptError(f"the page's script failed: {self._taken(_DUMP, failed)}")
        return self._taken(_STRING, value)

    def _taken(self, way: str, value: int) -> str:
        """Return a value as a text, and let go of it."""
        at = self._call(way, self._context, value)
        text = self.read(at)
        self._call(_FREE_STRING, self._context, at)
        self._call(_FREE_VALUE, self._context, value)
        return text

    def _call(self, name: str, *arguments: int) -> Any:
        try:
            return self._exports[name](self._store, *arguments)
        except (wt.Trap, wt.WasmtimeError) as error:
            raise ScriptError(f"the page's script failed: {str(error).splitlines()[0]}") from error

    def _text(self, text: str) -> int:
        """Put a text into the memory."""
        data = text.encode() + b"\0"
        at = int(self._call(_MALLOC, len(data)))
        self._memory.write(self._store, data, at)
        return at

    def read(self, at: int) -> str:
        """Return the text that begins at a place of the memory."""
        end = at
        while True:
            most = min(end + _PAGE, self._memory.data_len(self._store))
            piece = bytes(self._memory.read(self._store, end, most))
            found = piece.find(b"\0")
            if found >= 0:
                return bytes(self._memory.read(self._store, at, end + found)).decode()
            end += _PAGE

    def write(self, at: int, data: bytes) -> None:
        """Write bytes into the memory."""
        self._memory.write(self._store, data, at)

    def grow(self, size: int) -> int:
        """Make room for so many bytes; 0 where there is none."""
        wanted = (max(size, 2 * self._memory.data_len(self._store)) + _PAGE - 1) // _PAGE
        try:
            self._memory.grow(self._store, min(wanted, 32768) - self._memory.size(self._store))
        except wt.WasmtimeError:
            return 0
        return 1


def _engine() -> wt.Engine:
    """Return an engine that keeps what it has compiled, where it can."""
    config = wt.Config()
    try:
        config.cache = True
    except wt.WasmtimeError:
        # No folder to keep it in: it is compiled each time.
        config = wt.Config()
    return wt.Engine(config)


def _missing(name: str) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise ScriptError(f"the page's script asks for {name}, which it never did before")

    return fail


def _imports(script: Script) -> dict[str, Callable[..., Any]]:
    """Return what QuickJS asks of its surroundings, by the letters of its build: clocks, room."""

    def clock(_kind: int, _precision: int, at: int) -> int:
        script.write(at, pack("<q", time.monotonic_ns()))
        return 0

    def zone(offset: int, summer: int, *_: int) -> None:
        script.write(offset, pack("<i", 0))
        script.write(summer, pack("<i", 0))

    def none(count: int, size: int) -> int:
        script.write(count, pack("<i", 0))
        script.write(size, pack("<i", 0))
        return 0

    return {
        "k": script.grow,
        "p": lambda: time.time() * 1000,
        "q": clock,
        "n": zone,
        "m": lambda _when, at: script.write(at, bytes(40)),
        "e": lambda *_: 0,
        "f": none,
        "d": lambda *_: _BAD,
        "o": lambda *_: _NO_SEEKING,
        "i": lambda *_: 0,
        "u": lambda *_: None,
        "l": lambda: None,
    }
