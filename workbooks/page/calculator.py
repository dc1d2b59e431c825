"""The page's calculator, run here: the very WebAssembly that the page carries.

What it says of each formula is held against recalculation before a page is written, so that what
a reader sees in the browser has been computed once before, by the same program.
"""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from struct import iter_unpack, pack
from typing import Any

import wasmtime as wt

from udfs.cells import Cell, CellError
from workbooks.errors import CalculatorFailedError
from workbooks.page.places import Place

ASSETS = Path(__file__).with_name("assets")
WASM = ASSETS / "ironcalc.wasm.gz"
#: Shows a number with the 15 digits that the calculator writes.
DIGITS = "0.000000000000000E+00"
_LANGUAGE, _ZONE = "en", "UTC"
_NO_SCOPE = (1 << 53) - 1
# Kinds of values, as the calculator numbers them.
_TEXT, _LOGICAL, _ERROR = 2, 4, 16
_SET, _GET = "5I", "6I"
# Loops over cells inside WebAssembly, where a call takes a hundredth of what it takes from here.
_LOOPS = """
(module
  (import "c" "memory" (memory 1))
  (import "c" "malloc" (func $malloc (param i32 i32) (result i32)))
  (import "c" "set" (func $set (param i32 i32 i32 i32 i32 i32) (result i32 i32)))
  (import "c" "get" (func $get (param i32 i32 i32 i32) (result i32 i32 i32 i32)))
  (import "c" "kind" (func $kind (param i32 i32 i32 i32) (result i32 i32 i32)))
  (func (export "set") (param $model i32) (param $at i32) (param $end i32) (result i32)
    (local $text i32) (local $failed i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
      (local.set $text (call $malloc (i32.load offset=16 (local.get $at)) (i32.const 1)))
      (memory.copy (local.get $text) (i32.load offset=12 (local.get $at))
        (i32.load offset=16 (local.get $at)))
      (call $set (local.get $model)
        (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))
        (i32.load offset=8 (local.get $at)) (local.get $text)
        (i32.load offset=16 (local.get $at)))
      (local.set $failed)
      (drop)
      (if (local.get $failed) (then (return (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 20)))
      (br $next))
    (unreachable))
  (func (export "get") (param $model i32) (param $at i32) (param $end i32)
    (local $a i32) (local $b i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (call $kind (local.get $model)
          (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))
          (i32.load offset=8 (local.get $at)))
        (drop) (drop) (local.set $a)
        (i32.store offset=12 (local.get $at) (local.get $a))
        (call $get (local.get $model)
          (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))
          (i32.load offset=8 (local.get $at)))
        (drop) (drop) (local.set $b) (local.set $a)
        (i32.store offset=16 (local.get $at) (local.get $a))
        (i32.store offset=20 (local.get $at) (local.get $b))
        (local.set $at (i32.add (local.get $at) (i32.const 24)))
        (br $next)))))
"""


class CalculatorError(CalculatorFailedError):
    """The page's calculator refuses something; the message says what."""


class PageCalculator:
    """A workbook in the page's calculator."""

    def __init__(self, sheets: Sequence[str]) -> None:
        self._host = _Host()
        self._model = self._host.checked("model_new", *self._host.texts("page", _LANGUAGE, _ZONE,
                                                                       _LANGUAGE))  # fmt: skip
        self.pause()
        for _ in sheets[1:]:
            self._host.checked("model_newSheet", self._model)
        for i, name in enumerate(sheets):
            self._host.checked("model_renameSheet", self._model, i, *self._host.texts(name))

    def pause(self) -> None:
        """Compute nothing until `evaluate` is called."""
        self._host.call("model_pauseEvaluation", self._model)

    def name(self, name: str, formula: str) -> None:
        """Define a name of the workbook."""
        # The scope is a number of JavaScript, the texts lie on both sides of it.
        first, second = self._host.texts(name), self._host.texts(formula)
        self._host.checked(
            "model_newDefinedName", self._model, *first, float(_NO_SCOPE), *second, what=name
        )

    def array(self, place: Place, rows: int, columns: int, formula: str) -> None:
        """Put an array formula into a block of cells."""
        self._host.checked(
            "model_setUserArrayFormula", self._model, *place, columns, rows,
            *self._host.texts(formula), what=formula,
        )  # fmt: skip

    def put(self, cells: Iterable[tuple[Place, str]]) -> None:
        """Put values and formulas into cells, as if they were typed."""
        self._host.put(self._model, list(cells))

    def show_all_digits(self, sheet: int, rows: int, columns: int) -> None:
        """Let the cells of a sheet show their numbers whole."""
        area = {"sheet": sheet, "row": 1, "column": 1, "width": columns, "height": rows}
        self._host.checked(
            "model_updateRangeStyle", self._model, area, *self._host.texts("num_fmt", DIGITS)
        )

    def evaluate(self) -> None:
        """Compute all formulas."""
        self._host.call("model_evaluate", self._model)

    def values(self, places: Sequence[Place]) -> list[Cell]:
        """Return the values of cells."""
        return [_value(*found) for found in self._host.get(self._model, places)]

    def bytes(self) -> bytes:
        """Return the workbook as the page loads it."""
        return self._host.bytes(self._model)


def _value(kind: int, text: str) -> Cell:
    if kind == _ERROR:
        return CellError(text)
    if kind == _TEXT:
        return text
    if kind == _LOGICAL:
        return text == "TRUE"
    return float(text) if text else None


class _Host:
    """What wasm-bindgen's JavaScript does, as far as the calls above need it."""

    def __init__(self) -> None:
        engine = _engine()
        module = wt.Module(engine, gzip.decompress(WASM.read_bytes()))
        self._store = wt.Store(engine)
        linker = wt.Linker(engine)
        given = _imports(self)
        for one in module.imports:
            work = next((f for name, f in given.items() if one.name.startswith(name)), None)
            linker.define(self._store, one.module, one.name, wt.Func(
                self._store, one.type, work or _missing(one.name)))  # fmt: skip
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        self._memory = self._exports["memory"]
        self.call("__wbindgen_start")
        loops = wt.Linker(engine)
        for name, ours in (
            ("memory", "memory"),
            ("malloc", "__wbindgen_malloc"),
            ("set", "model_setUserInput"),
            ("get", "model_getFormattedCellValue"),
            ("kind", "model_getCellType"),
        ):
            loops.define(self._store, "c", name, self._exports[ours])
        self._loops = loops.instantiate(
            self._store, wt.Module(engine, _LOOPS)
        ).exports(self._store)  # fmt: skip

    def call(self, name: str, *arguments: Any) -> Any:
        """Call an exported function."""
        try:
            return self._exports[name](self._store, *arguments)
        except (wt.Trap, wt.WasmtimeError) as error:
            raise CalculatorError(
                f"the page's calculator failed: {str(error).splitlines()[0]}"
            ) from error

    def checked(self, name: str, *arguments: Any, what: str = "") -> Any:
        """Call a function whose last two results are an error and whether there is one."""
        *found, error, failed = self.call(name, *arguments)
        if failed:
            raise CalculatorError(f"the page's calculator refuses {what:.60}: {self._taken(error)}")
        return found[0] if found else None

    def _taken(self, index: int) -> Any:
        return self._exports["__wbindgen_externrefs"].get(self._store, index)

    def text(self, text: str) -> tuple[int, int]:
        """Put a text into the memory of the calculator, which frees it."""
        data = text.encode()
        return self.data(data), len(data)

    def texts(self, *texts: str) -> list[int]:
        """Put texts into the memory of the calculator."""
        return [number for text in texts for number in self.text(text)]

    def data(self, data: bytes) -> int:
        """Put bytes into the memory of the calculator."""
        at = self.call("__wbindgen_malloc", len(data), 1)
        self._memory.write(self._store, data, at)
        return int(at)

    def read(self, at: int, length: int) -> bytes:
        """Return bytes of the memory."""
        return bytes(self._memory.read(self._store, at, at + length))

    def write(self, at: int, data: bytes) -> None:
        """Write bytes into the memory."""
        self._memory.write(self._store, data, at)

    def grow_table(self) -> None:
        """Set up what stands for undefined, null, true and false."""
        table = self._exports["__wbindgen_externrefs"]
        offset = table.grow(self._store, 4, None)
        for i, value in enumerate((UNDEFINED, None, True, False)):
            table.set(self._store, offset + i, value)

    def put(self, model: int, cells: list[tuple[Place, str]]) -> None:
        """Put texts into cells."""
        written = [text.encode() for _, text in cells]
        blob = self.data(b"".join(written) or b" ")
        records, at = [], blob
        for (place, _), data in zip(cells, written, strict=True):
            records.append(pack(_SET, *place, at, len(data)))
            at += len(data)
        size = len(records) * 20
        start = self.data(b"".join(records) or b" ")
        failed = self._loop("set", model, start, start + size)
        if failed:
            place, text = cells[(failed - start) // 20]
            raise CalculatorError(f"the page's calculator does not take {text:.60}")

    def get(self, model: int, places: Sequence[Place]) -> list[tuple[int, str]]:
        """Return kind and text of cells."""
        records = b"".join(pack(_GET, *place, 0, 0, 0) for place in places) or b" "
        start = self.data(records)
        self._loop("get", model, start, start + 24 * len(places))
        found = self.read(start, 24 * len(places))
        memory = self._memory.read(self._store, 0, self._memory.data_len(self._store))
        return [
            (kind, bytes(memory[at : at + length]).decode())
            for *_, kind, at, length in iter_unpack(_GET, found)
        ]

    def _loop(self, name: str, *arguments: int) -> Any:
        try:
            return self._loops[name](self._store, *arguments)
        except (wt.Trap, wt.WasmtimeError) as error:
            raise CalculatorError(
                f"the page's calculator failed: {str(error).splitlines()[0]}"
            ) from error

    def bytes(self, model: int) -> bytes:
        """Return the workbook as bytes."""
        at, length = self.call("model_toBytes", model)
        return self.read(at, length)


UNDEFINED = object()


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
        raise CalculatorError(f"the page's calculator asks for {name}, which it never did before")

    return fail


def _imports(host: _Host) -> dict[str, Callable[..., Any]]:
    """Return what the calculator asks of JavaScript, by the beginning of the name."""

    def string_get(at: int, value: Any) -> None:
        pointer, length = host.text(value) if isinstance(value, str) else (0, 0)
        host.write(at, pack("2I", pointer, length))

    def number_get(at: int, value: Any) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        host.write(at, pack("<IId", is_number, 0, value if is_number else 0.0))

    def boolean_get(value: Any) -> int:
        return int(value) if isinstance(value, bool) else 0xFFFFFF

    return {
        "__wbg_Error_": lambda at, length: host.read(at, length).decode(),
        "__wbindgen_cast_0000000000000003": lambda at, length: host.read(at, length).decode(),
        "__wbindgen_init_externref_table": host.grow_table,
        "__wbg_now_": lambda: time.time() * 1000,
        "__wbg_random_": random.random,
        "__wbg_ic_tz_validate_": lambda *_: 1,
        "__wbg_get_with_ref_key_": lambda what, key: what.get(key, UNDEFINED),
        "__wbg___wbindgen_is_undefined_": lambda value: int(value is UNDEFINED),
        "__wbg___wbindgen_is_object_": lambda value: int(isinstance(value, dict)),
        "__wbg___wbindgen_is_string_": lambda value: int(isinstance(value, str)),
        "__wbg___wbindgen_is_bigint_": lambda _: 0,
        "__wbg_isSafeInteger_": lambda value: int(isinstance(value, int)),
        "__wbg___wbindgen_in_": lambda key, what: int(key in what),
        "__wbg___wbindgen_jsval_eq_": lambda one, other: int(one == other),
        "__wbg___wbindgen_jsval_loose_eq_": lambda one, other: int(one == other),
        "__wbg___wbindgen_string_get_": string_get,
        "__wbg___wbindgen_number_get_": number_get,
        "__wbg___wbindgen_boolean_get_": boolean_get,
    }
