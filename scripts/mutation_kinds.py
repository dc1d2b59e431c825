"""The changes that `scripts/mutants` makes to a module, one at a time.

Left alone is what no value hangs on: annotations, docstrings, what an error says.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Operators that stand for each other.
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the place among those of its file, and what it is in words."""

    path: str
    place: int
    line: int
    last: int
    inside: bool
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} [{self.place}] {self.what}"


#: A change: the node that it is seen in, what it is in words, and how it is made and undone.
Change = tuple[ast.AST, str, Callable[[], None]]


def mutants(root: Path, path: str) -> list[Mutant]:
    """List every mutant of a file."""
    tree = ast.parse((root / path).read_text(encoding="utf-8"))
    return [
        Mutant(path, place, *_lines(node, statement), inside, what)
        for place, ((node, what, _), statement, inside) in enumerate(_changes(tree))
    ]


def mutated(root: Path, mutant: Mutant) -> ast.Module:
    """Return the tree of a file with one change made."""
    tree = ast.parse((root / mutant.path).read_text(encoding="utf-8"))
    for place, ((_, what, change), _, _) in enumerate(_changes(tree)):
        if place == mutant.place and what == mutant.what:
            change()
            return ast.fix_missing_locations(tree)
    raise ValueError(f"{mutant} is no longer in the file")


def _lines(node: ast.AST, statement: ast.stmt) -> tuple[int, int]:
    first: int = getattr(node, "lineno", statement.lineno)
    return first, getattr(node, "end_lineno", first) or first


def _changes(tree: ast.Module) -> list[tuple[Change, ast.stmt, bool]]:
    return [
        (change, statement, inside)
        for node, statement, inside in _nodes(tree.body, False)
        for change in _of(node)
    ]


def _nodes(body: list[ast.stmt], inside: bool) -> Iterator[tuple[ast.AST, ast.stmt, bool]]:
    """Go through what may be changed: each node, its statement, whether a function holds it."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert) or _untouched(statement):
            continue
        yield statement, statement, inside
        if isinstance(statement, ast.Raise):
            continue
        within = inside or isinstance(statement, ast.FunctionDef)
        if isinstance(statement, ast.FunctionDef):
            defaults = [*statement.args.defaults, *statement.args.kw_defaults]
            for default in defaults:
                if default is not None:
                    yield from ((node, statement, inside) for node in _expressions(default))
        for name, value in ast.iter_fields(statement):
            if name in ("args", "returns", "annotation", "decorator_list", "bases", "keywords"):
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.stmt):
                    yield from _nodes([part], within)
                elif isinstance(part, ast.ExceptHandler | ast.match_case):
                    if isinstance(part, ast.match_case) and part.guard is not None:
                        yield from ((n, statement, inside) for n in _expressions(part.guard))
                    yield from _nodes(part.body, within)
                elif isinstance(part, ast.withitem):
                    yield from ((n, statement, inside) for n in _expressions(part.context_expr))
                elif isinstance(part, ast.expr):
                    yield from ((node, statement, inside) for node in _expressions(part))


def _untouched(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def _expressions(node: ast.expr) -> Iterator[ast.AST]:
    """Go through an expression, but for calls that make an error and for f-strings."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name.endswith("Error"):
            return
        case ast.JoinedStr():
            return
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _expressions(child)
        elif isinstance(child, ast.keyword) and not (_is_zip(node) and child.arg == "strict"):
            yield from _expressions(child.value)
        elif isinstance(child, ast.comprehension):
            yield from _expressions(child.iter)
            for condition in child.ifs:
                yield from _expressions(condition)


def _of(node: ast.AST) -> Iterator[Change]:
    """Return the changes of one node."""
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                yield from _swap(node, operator, node.ops, place)
            for part in node.comparators:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield _constant(part, part.value + "X")
        case ast.BinOp() if not any(map(_text, (node.left, node.right))):
            new = SWAPPED.get(type(node.op))
            if new is not None:
                yield node, _swapped(node.op, new), _setter(node, "op", new())
        case ast.BoolOp():
            new = SWAPPED[type(node.op)]
            yield node, _swapped(node.op, new), _setter(node, "op", new())
        case ast.UnaryOp(op=ast.Not()):
            again = ast.UnaryOp(ast.Not(), node.operand)
            yield node, "not x becomes x", _setter(node, "operand", again)
        case ast.UnaryOp(op=ast.USub()):
            yield node, "-x becomes +x", _setter(node, "op", ast.UAdd())
        case ast.Constant(value=bool(value)):
            yield _constant(node, not value)
        case ast.Constant(value=int(number) | float(number)):
            yield _constant(node, number + 1 if number + 1 != number else number * 2)
        case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.UnaryOp):
            opposite = ast.UnaryOp(ast.Not(), node.test)
            yield node.test, "condition turned round", _setter(node, "test", opposite)
        case ast.Return(value=ast.expr() as value) if not _none(value):
            yield node, "returns None", _setter(node, "value", ast.Constant(None))
        case ast.Raise() | ast.AugAssign():
            what = "does not raise" if isinstance(node, ast.Raise) else "the sum is left out"
            yield node, what, _setter(node, "__class__", ast.Pass)
        case ast.Expr(value=ast.Call()):
            yield node, "the call is left out", _setter(node, "value", ast.Constant(None))


def _swap(node: ast.AST, old: ast.AST, where: list[ast.cmpop], place: int) -> Iterator[Change]:
    new = SWAPPED[type(old)]()
    assert isinstance(new, ast.cmpop)

    def change() -> None:
        where[place] = new

    yield node, _swapped(old, type(new)), change


def _swapped(old: ast.AST, new: type[ast.AST]) -> str:
    return f"{type(old).__name__} becomes {new.__name__}"


def _constant(node: ast.Constant, new: object) -> Change:
    return node, f"{node.value!r} becomes {new!r}", _setter(node, "value", new)


def _setter(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_zip(node: ast.AST) -> bool:
    """Tell of `zip`, whose `strict` is an assertion."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip"


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
