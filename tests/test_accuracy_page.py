"""The figures of the serving estimate on the pages are those of the calibration."""

from __future__ import annotations

import accuracy
import pytest


@pytest.mark.parametrize("name", list(accuracy.PAGES))
def test_pages_tell_the_figures_of_the_calibration(name):
    found = accuracy.PAGES[name].read_text(encoding="utf-8")
    assert found == accuracy.filled(found), "run: python scripts/accuracy.py"


def test_every_figure_has_its_place_on_a_page():
    pages = "".join(path.read_text(encoding="utf-8") for path in accuracy.PAGES.values())
    for name in accuracy.texts():
        assert pages.count(f"<!-- {name} -->") == 1


def test_a_figure_that_has_changed_is_put_right():
    page = "before <!-- headline -->1 % off<!-- end --> after"
    found = accuracy.filled(page)
    assert found.startswith("before <!-- headline -->")
    assert found.endswith("<!-- end --> after")
    assert accuracy.texts()["headline"] in found
    assert accuracy.filled(found) == found
