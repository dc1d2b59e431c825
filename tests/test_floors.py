"""The house has floors: no module imports from a higher one, and none import each other."""

from __future__ import annotations

import floors
import pytest


@pytest.fixture(scope="module")
def graph():
    return floors.import_graph()


def test_the_graph_is_that_of_the_project(graph):
    assert (
        "workbooks.formula.tree"
        in graph["workbooks.excel.pipeline"] | graph["workbooks.formula.parse"]
    )
    # Inside a function.
    assert "udfs.hosts.excel.xlsm" in graph["workbooks.build"]
    assert len(graph) > 200


def test_nothing_is_imported_from_a_higher_floor(graph):
    assert floors.upward(graph) == []


def test_no_modules_import_each_other(graph):
    assert floors.circles(graph) == []


def test_every_module_stands_on_a_floor(graph):
    assert {floors.floor_of(module) for module in graph} == set(floors.FLOORS)
    with pytest.raises(ValueError, match="no floor"):
        floors.floor_of("workbooks.attic")


@pytest.mark.parametrize(
    "text",
    [
        "from workbooks.recalc import plan",
        "import workbooks.recalc.plan",
        "from ..recalc.plan import SheetPlan",
        "def late():\n    from workbooks.recalc.plan import SheetPlan",
    ],
)
def test_an_import_of_a_higher_floor_is_found(tmp_path, text):
    for name, content in (("calc/reads.py", text), ("recalc/plan.py", "SheetPlan = 1")):
        path = tmp_path / "workbooks" / name
        path.parent.mkdir(parents=True)
        path.write_text(content)
    graph = floors.import_graph(tmp_path)
    assert floors.upward(graph) == [("workbooks.calc.reads", "workbooks.recalc.plan")]


def test_a_circle_is_found():
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("ab"), "d": frozenset("a")}
    assert floors.circles(graph) == [frozenset("abc")]


def test_the_picture_is_up_to_date(graph):
    found = floors.PICTURE.read_text(encoding="utf-8")
    assert found == floors.picture(graph), "run: python scripts/floors.py"
