"""Write what the engine answers to the cases of each function, for review.

`python tests/conformance/record.py [TOK_X ...]`; without names, all functions. A value that agrees
with the one on file to 1e-12 stays as it is, so that a file changes only where an answer does. The
typical call of a function without a file is taken from the first doctest of its docstring; edit it
in the file and record again.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from cases import FOLDER, TYPICAL, as_json, cases_of, difference, recorded

from udfs import registry

#: Agreement below which a value on file is not written anew.
_SAME = 1e-12


def main(names: list[str]) -> None:
    """Record the named functions, or all, and tell what changed."""
    if strangers := set(names) - set(registry):
        raise SystemExit(f"no such function: {', '.join(sorted(strangers))}")
    changes = [line for name in names or registry for line in record(name)]
    print("\n".join([*changes, f"{len(changes)} changes"]))


def record(name: str) -> list[str]:
    """Record one function; return a line for each answer that is new, changed or gone."""
    held = recorded(name)
    calls = held["calls"] or {TYPICAL: typical_from_doctest(name)}
    answers: dict[str, Any] = {}
    changes = []
    for case in cases_of(name, calls):
        what, now = case.id.removeprefix(f"{name}-"), as_json(registry[name](*case.cells))
        before = held["answers"].get(what, "nothing")
        changed = "nothing" if before == "nothing" else difference(before, now, _SAME)
        if changed:
            changes.append(f"{case.id}: {'new' if before == 'nothing' else changed}")
        answers[what] = now if changed else before
    changes += [f"{name}-{what}: gone" for what in held["answers"] if what not in answers]
    if changes:
        text = f'{{"calls": {_lines(calls)},\n"answers": {_lines(answers)}}}\n'
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    return changes


def typical_from_doctest(name: str) -> list[Any]:
    """Return the arguments of the first call in the docstring, as cells."""
    engine = registry[name].engine
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(engine) or ""):
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == engine.__name__:
                return _cells(engine, node)
    raise SystemExit(f"{name} has no doctest that calls {engine.__name__}")


def _cells(engine: Any, call: ast.Call) -> list[Any]:
    given = [ast.literal_eval(argument) for argument in call.args]
    named = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    bound = inspect.signature(engine).bind(*given, **named)
    last = max(list(bound.signature.parameters).index(n) for n in bound.arguments)
    bound.apply_defaults()
    return [_cell(value) for value in bound.args[: last + 1]]


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        # A flat list stands for a range of one column, as a reader would write it in a sheet.
        return [[_cell(c) for c in r] if isinstance(r, list | tuple) else [_cell(r)] for r in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _lines(entries: dict[str, Any]) -> str:
    """Return a JSON object with one entry a line."""
    told = (f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items())
    return "{\n" + ",\n".join(told) + "\n}"


if __name__ == "__main__":
    main(sys.argv[1:])
