"""What `scripts/mutants` changes, and that a test which looks notices it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from mutation_kinds import Mutant, mutants, mutated

SOURCE = '''
"""A docstring with 3 words."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from x import y
LIMIT: "int | None" = 3
def area(width: float, height: float = 2.0) -> "float | None":
    """Return 1 area."""
    if width < 0 or not height:
        raise ValueError("under 0")
    total = 0.0
    total += width * height
    print(f"{total + 1}")
    return total
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "module.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def result(tree: ast.Module, *arguments: float) -> object:
    space: dict[str, object] = {}
    exec(compile(tree, "module.py", "exec"), space)
    try:
        return space["area"](*arguments), space["LIMIT"]  # type: ignore[operator]
    except ValueError:
        return "raised"


def test_what_is_changed(module: Path) -> None:
    assert [str(mutant).partition("] ")[2] for mutant in mutants(module, "module.py")] == [
        "3 becomes 4",
        "2.0 becomes 3.0",
        "condition turned round",
        "Or becomes And",
        "Lt becomes LtE",
        "0 becomes 1",
        "not x becomes x",
        "does not raise",
        "0.0 becomes 1.0",
        "the sum is left out",
        "Mult becomes Div",
        "the call is left out",
        "returns None",
    ]


def test_each_change_but_that_of_the_print_gives_something_else(module: Path) -> None:
    cases = [(3.0,), (3.0, 5.0), (-1.0, 5.0), (-1.0,), (0.0, 5.0), (3.0, 0.0), (0.5,)]
    plain = [result(ast.parse(SOURCE), *case) for case in cases]
    for mutant in mutants(module, "module.py"):
        found = [result(mutated(module, mutant), *case) for case in cases]
        assert (found == plain) == (mutant.what == "the call is left out"), str(mutant)


def test_a_mutant_of_another_file_is_refused(module: Path) -> None:
    with pytest.raises(ValueError, match="no longer in the file"):
        mutated(module, Mutant("module.py", 0, 6, 6, False, "9 becomes 10"))
