"""What all tests share."""

from __future__ import annotations

import os
import shutil
from functools import cache

import pytest
from hypothesis import settings

# Laws are searched without a clock: the machine may be busy. In CI the search is the same each
# time, so that a change is judged by what it changed; developers' runs go on finding new cases.
SAME_EACH_TIME = {"CI", "TOKENBOOK_MUTANTS"} & set(os.environ)
settings.register_profile("tokenbook", deadline=None, derandomize=bool(SAME_EACH_TIME))
settings.load_profile("tokenbook")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return what builds a template once for all tests; who changes the file takes a copy."""
    from workbooks.build import build  # noqa: PLC0415  (not for tests of the engine)

    @cache
    def once(name: str, flavour: str = "xlsx"):
        return build(name, tmp_path_factory.mktemp(f"{name}-{flavour}"), flavour=flavour)

    return once


#: The program that a mark asks for.
PROGRAMS = {"libreoffice": "soffice", "chromium": "chromium", "ooxml": "ooxml-validator"}


def pytest_runtest_setup(item):
    """Skip what needs a program that is not here; in CI all of them have to be."""
    for mark, program in PROGRAMS.items():
        if item.get_closest_marker(mark) and not shutil.which(program) and "CI" not in os.environ:
            pytest.skip(f"{program} is not on this machine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what takes minutes, other programs too, unless `-m` asks for it by name."""
    for item in items:
        if any(item.get_closest_marker(mark) for mark in PROGRAMS):
            item.add_marker(pytest.mark.long)
        # A file is one processor's; LibreOffice is not started by two at once.
        calc = item.get_closest_marker("libreoffice")
        item.add_marker(pytest.mark.xdist_group("calc" if calc else str(item.path)))
    if any(mark in config.getoption("-m") for mark in ("long", *PROGRAMS)):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Use all processors for all tests; a file or two are done before the workers are there."""
    return os.cpu_count() if config.args_source is not pytest.Config.ArgsSource.ARGS else 0
