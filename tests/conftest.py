"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

# Laws are searched without a clock: the machine may be busy. In CI the search is the same each
# time, so that a change is judged by what it changed; developers' runs go on finding new cases,
# a fourth as many at a time.
SAME_EACH_TIME = {"CI", "TOKENBOOK_MUTANTS"} & set(os.environ)
settings.register_profile(
    "tokenbook",
    deadline=None,
    derandomize=bool(SAME_EACH_TIME),
    max_examples=100 if SAME_EACH_TIME or "TOKENBOOK_FUZZ" in os.environ else 25,
)
settings.load_profile("tokenbook")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return what builds a template once for all tests; who changes the file takes a copy."""
    from workbooks.build import build  # noqa: PLC0415  (not for tests of the engine)

    @cache
    def once(name: str, flavour: str = "xlsx"):
        return build(name, tmp_path_factory.mktemp(f"{name}-{flavour}"), flavour=flavour)

    return once


def asked_by_name(config) -> bool:
    """Tell whether `-m` asks for what takes minutes or another program."""
    return any(mark in config.getoption("-m") for mark in ("long", "fault", *PROGRAMS))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config) -> None:
    """Keep a file on one processor where programs are started: LibreOffice by no two at once.

    All else is shared out evenly, and whoever has done its share takes of what others have left.
    """
    if asked_by_name(config) and getattr(config.option, "dist", "no") != "no":
        config.option.dist = "loadgroup"


#: The program that a mark asks for.
PROGRAMS = {"libreoffice": "soffice", "chromium": "chromium", "ooxml": "ooxml-validator"}


def pytest_runtest_setup(item):
    """Skip what needs a program that is not here (in CI all have to be); note what harms."""
    for mark, program in PROGRAMS.items():
        if item.get_closest_marker(mark) and not shutil.which(program) and "CI" not in os.environ:
            pytest.skip(f"{program} is not on this machine")
    fault = item.get_closest_marker("fault")
    if fault:
        item.user_properties.append(("fault", fault.args[0]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what takes minutes, other programs too, unless `-m` asks for it by name."""
    for item in items:
        if any(item.get_closest_marker(mark) for mark in PROGRAMS):
            item.add_marker(pytest.mark.long)
        calc = item.get_closest_marker("libreoffice")
        item.add_marker(pytest.mark.xdist_group("calc" if calc else str(item.path)))
    if asked_by_name(config):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Use all processors for all tests; a file or two are done before the workers are there."""
    return os.cpu_count() if config.args_source is not pytest.Config.ArgsSource.ARGS else 0


# --- the table of docs/reliability.md -------------------------------------------------------------

#: What it stands between.
BEGIN, END = "<!-- made by the tests -->", "<!-- end -->"


@pytest.fixture
def tried(record_property) -> Callable[[int], None]:
    """Say how many tries a test was made of."""

    def say(count: int) -> None:
        record_property("tried", count)

    return say


def pytest_terminal_summary(terminalreporter) -> None:
    """Write the table of docs/reliability.md, where TOKENBOOK_RELIABILITY says that path."""
    path = os.environ.get("TOKENBOOK_RELIABILITY")
    if path:
        page = Path(path)
        reports = [
            report
            for outcome in ("passed", "failed")
            for report in terminalreporter.stats.get(outcome, ())
        ]
        text = page.read_text(encoding="utf-8")
        head, _, rest = text.partition(BEGIN)
        page.write_text(f"{head}{BEGIN}\n{table(reports)}\n{END}{rest.partition(END)[2]}")


def table(reports) -> str:
    """Return what was tried and survived, a line a fault."""
    counts: dict[str, list[int]] = {}
    for report in reports:
        properties = dict(report.user_properties)
        if "fault" in properties:
            line = counts.setdefault(properties["fault"], [0, 0])
            count = properties.get("tried", 1)
            line[0] += count
            line[1] += count if report.passed else 0
    lines = [f"| {name} | {n:,} | {s:,} |" for name, (n, s) in sorted(counts.items())]
    return "\n".join(["| fault | tried | survived |", "|---|---:|---:|", *lines])
