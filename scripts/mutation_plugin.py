"""What pytest does for `scripts/mutants`: it notes which test reaches which line, or tries mutants.

A mutant inside a function is tried in a fork of a process that has collected the tests: the code of
the function is replaced, and the tests that reach it run, fastest first, until one fails. A mutant
of what a module does as it is imported needs a process of its own. No file of the tree is touched.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import pytest
from mutation_kinds import Mutant, mutated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coverage import Coverage

ROOT = Path(__file__).parents[1]
#: What a mutant may take over what its tests took: the machine may be busy [s; -].
PATIENCE = 30.0
TIMES_SLOWER = 10.0


class Map:
    """Notes the lines that each test reaches, and how long the test takes."""

    def __init__(self, folder: Path, name: str) -> None:
        from coverage import Coverage  # noqa: PLC0415  (only where lines are noted)

        self.seconds: dict[str, float] = {}
        self._times = folder / f"{name}.json"
        self._coverage: Coverage = Coverage(
            data_file=str(folder / f"{name}.coverage"),
            include=[str(ROOT / "workbooks/*")],
            config_file=False,
        )
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note the lines of one test."""
        self._coverage.switch_context(item.nodeid)
        started = time.perf_counter()
        done = yield
        self.seconds[item.nodeid] = time.perf_counter() - started
        self._coverage.switch_context("")
        return done

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write down what was noted."""
        self._coverage.stop()
        self._coverage.save()
        self._times.write_text(json.dumps(self.seconds), encoding="utf-8")


class Tries:
    """Tries each mutant of a list on the tests that reach it."""

    def __init__(self, jobs: Sequence[dict[str, Any]], answers: Path) -> None:
        self._jobs, self._answers = jobs, answers
        self._failed: int | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the fork at the first test that fails."""
        if report.failed and self._failed is not None:
            os.write(self._failed, report.nodeid.encode())
            os._exit(1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try one mutant after the other, in the place of running the tests once."""
        known = {item.nodeid: item for item in session.items}
        for job in self._jobs:
            items = [known[test] for test in job["tests"] if test in known]
            noticed = self._try(Mutant(**job["mutant"]), items, job)
            with self._answers.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"mutant": job["mutant"], "noticed": noticed}) + "\n")
        return True

    def _try(self, mutant: Mutant, items: list[pytest.Item], job: dict[str, Any]) -> str:
        """Return the test that failed, what else ended the mutant, or nothing."""
        read, self._failed = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                if not job["imported"]:
                    replace_code(mutant)
                for item, following in zip(items, [*items[1:], None], strict=True):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException as error:
                os.write(self._failed, f"{type(error).__name__}: {error}".encode()[:500])
                os._exit(1)
            os._exit(0)
        os.close(self._failed)
        self._failed = None
        deadline = time.monotonic() + PATIENCE + TIMES_SLOWER * job["seconds"]
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                done = os.waitpid(child, 0)
                break
            time.sleep(0.01)
        said = os.read(read, 10_000).decode(errors="replace")
        os.close(read)
        if os.WIFSIGNALED(done[1]):
            return f"ended by {signal.Signals(os.WTERMSIG(done[1])).name}"
        return said if os.waitstatus_to_exitcode(done[1]) else ""


def codes(code: CodeType) -> Iterator[CodeType]:
    """Go through a code and all that is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def replace_code(mutant: Mutant) -> None:
    """Give the functions of this process the code of a mutant."""
    path = str(ROOT / mutant.path)
    # What only a test would import is changed too.
    import_module(mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    changed: dict[tuple[str, int], list[CodeType]] = {}
    for code in codes(compile(mutated(ROOT, mutant), path, "exec")):
        changed.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
    for function in [f for f in gc.get_objects() if isinstance(f, FunctionType)]:
        old = function.__code__
        if old.co_filename == path:
            found = changed.get((old.co_qualname, old.co_firstlineno), [])
            if len(found) == 1:
                function.__code__ = found[0]


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        """Return the code of the mutant."""
        code: CodeType = compile(mutated(ROOT, self._mutant), self.path, "exec")
        return code


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: object = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return how to import the changed module, and nothing for others."""
        spec = PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin != str(ROOT / self._mutant.path):
            return None
        spec.loader = _Loader(fullname, spec.origin, self._mutant)
        return spec


def pytest_configure(config: pytest.Config) -> None:
    """Take up the work that `scripts/mutants` left in the environment."""
    # A shell has its background jobs ignore Ctrl-C, and tests send themselves that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = json.loads(os.environ["TOKENBOOK_MUTANTS"])
    if "map" in work:
        config.pluginmanager.register(Map(Path(work["folder"]), work["map"]))
        return
    jobs = json.loads(Path(work["jobs"]).read_text(encoding="utf-8"))
    if jobs[0]["imported"]:
        sys.meta_path.insert(0, _Finder(Mutant(**jobs[0]["mutant"])))
    config.pluginmanager.register(Tries(jobs, Path(work["answers"])))
