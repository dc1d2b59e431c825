"""Many workbooks recalculated into a folder, each in a process of its own.

A manifest beside the results has a row a file, written when that file has ended. Run again, the
files whose content, options and result are those of their row are left; a run that was stopped at
any moment so goes on. A file that cannot be recalculated is a row too, and never stops the others.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from workbooks.errors import BadInputError, RefusedError, UnwritableError
from workbooks.ooxml import files
from workbooks.ooxml.publish import check_target, claimed, published
from workbooks.recalc import DEADLINE, check_deadline, recalculate
from workbooks.recalc.manifest import DONE, FAILED, Manifest, Row
from workbooks.supervise import machine_memory
from workbooks.watch import guarded
from workbooks.workers import Where, crew
from workbooks.workers.tasks import Job, Lost, as_done
from workbooks.workers.versions import versions

ENDINGS = (".xlsx", ".xlsm", ".xltx", ".xltm")
#: What a program that has a workbook open puts beside it.
_LOCKS = ("~$", ".")
_HERE = Where()


class One(NamedTuple):
    """A workbook and where its result goes; `name` is its place in the folder of results."""

    name: str
    source: Path
    target: Path


class Options(NamedTuple):
    """How each workbook is recalculated; see `workbooks.recalc.recalculate`.

    `memory` is what one of them may take: half of the machine, shared by `jobs` [B].
    """

    set_values: tuple[tuple[str, Any], ...] = ()
    force: bool = False
    seed: int = 0
    clock: datetime | None = None
    baseline: bool = True
    deadline: float | None = DEADLINE
    memory: int | None = None
    jobs: int = 1

    def mark(self) -> str:
        """Return what tells results from those of other options, of another program or prices."""
        decisive = (self.set_values, self.force, self.seed, self.clock, self.baseline)
        return _hash(repr((decisive, sorted(versions().items()))).encode())[:16]


class Outcome(NamedTuple):
    """What came of one workbook; `content` is the new one, None where there is none."""

    content: bytes | None
    message: str
    in_error: int = 0
    not_evaluated: int = 0
    not_reproduced: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Batch:
    """What a run did: rows of the files of this run, those that were `skipped` among them."""

    rows: list[Row] = field(default_factory=list)
    skipped: int = 0

    @property
    def failed(self) -> list[Row]:
        """The files that could not be recalculated."""
        return [row for row in self.rows if row.status == FAILED]


def planned(inputs: Sequence[Path], folder: Path) -> list[One]:
    """Return which workbooks go where, or refuse what would overwrite another.

    Parameters
    ----------
    inputs : sequence of Path
        Workbooks, and folders whose workbooks keep their places inside them.
    folder : Path
        Where the results go; where it lies inside an input folder it is left out there.
    """
    found: dict[str, One] = {}
    for name, source in _sources(inputs, folder):
        one = One(name, source, folder / name)
        same = found.setdefault(os.path.normcase(name), one)
        if files.real(same.source) != files.real(source):
            raise BadInputError(f"{same.source} and {source} would both become {one.target}")
    if not found:
        raise BadInputError(f"no workbook ({', '.join(ENDINGS)}) in {', '.join(map(str, inputs))}")
    origins = {files.real(one.source): one.source for one in found.values()}
    for one in found.values():
        if files.real(one.target) in origins:
            raise UnwritableError(
                f"{one.target} is one of the workbooks to be read; give another folder"
            )
    return [found[key] for key in sorted(found)]


def _sources(inputs: Sequence[Path], folder: Path) -> Iterator[tuple[str, Path]]:
    results = files.real(folder)
    for path in inputs:
        if path.is_file():
            yield path.name, path
        elif not path.is_dir():
            raise BadInputError(f"{path}: no such file or folder")
        elif files.real(path) == results:
            raise UnwritableError(f"{folder} is what is to be read; give another folder")
        else:
            within = files.real(path) in results.parents
            for inside in sorted(path.rglob("*")):
                if (
                    inside.suffix.lower() in ENDINGS
                    and not inside.name.startswith(_LOCKS)
                    and inside.is_file()
                    and not (within and results in files.real(inside).parents)
                ):
                    yield inside.relative_to(path).as_posix(), inside


def to_do(
    plan: Iterable[One], manifest: Manifest, mark: str
) -> tuple[list[One], list[tuple[One, Row]]]:
    """Return what is to be done, and what is done already."""
    left: list[One] = []
    done: list[tuple[One, Row]] = []
    for one in plan:
        row = manifest.rows.get(one.name)
        if (
            row is not None
            and (row.status, row.options) == (DONE, mark)
            and row.input_hash == _hash_of(one.source)
            and row.output_hash == _hash_of(one.target)
        ):
            done.append((one, row))
        else:
            left.append(one)
    return left, done


def recalculate_many(
    inputs: Sequence[Path],
    folder: Path,
    options: Options,
    *,
    where: Where = _HERE,
    progress: Callable[[str, int, int], None] | None = None,
) -> Batch:
    """Recalculate workbooks into a folder.

    Parameters
    ----------
    inputs : sequence of Path
        Workbooks, and folders of them.
    folder : Path
        Where the results and `manifest.csv` go.
    options : Options
        How each is recalculated.
    where : Where
        Who does it: processes of this machine, or a cluster.
    progress : callable, optional
        Told "recalc", how many have ended, and of how many.

    Returns
    -------
    Batch
        What came of each.
    """
    check_deadline(options.deadline)
    plan = planned(inputs, folder)
    batch, tell = Batch(), progress or (lambda *_: None)
    with ExitStack() as stack:
        watch = stack.enter_context(guarded())
        make_folder(folder)
        manifest = Manifest.of(folder)
        claim = stack.enter_context(claimed(check_target(manifest.path, manifest.path)))
        manifest.read()
        mark = options.mark()
        left, done = to_do(plan, manifest, mark)
        batch.rows, batch.skipped = [row for _, row in done], len(done)
        manifest.begin(claim, plan[0].source)
        stack.callback(manifest.close)
        if not left:
            return batch
        hashes: dict[str, str] = {}
        others = stack.enter_context(crew(where))
        job = Job(_itself, options, _recalculated, "file")
        ended = as_done(others, job, _tasks(left, hashes))
        while True:
            with watch.free():
                found = next(ended, None)
            if found is None:
                return batch
            one, outcome = left[found[0]], found[1]
            if isinstance(outcome, Lost):
                outcome = Outcome(None, outcome.message)
            row = _kept(one, outcome, hashes.pop(one.name, ""), mark, manifest.rows.get(one.name))
            manifest.add(row)
            batch.rows.append(row)
            tell("recalc", len(batch.rows), len(plan))
            watch.check()


def make_folder(folder: Path) -> None:
    """Have a folder for the results."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(f"{folder} cannot be a folder: {error.strerror or error}") from error


def _tasks(left: Iterable[One], hashes: dict[str, str]) -> Iterator[tuple[str, bytes, str]]:
    """Yield the workbooks as they are read, and note what was read."""
    for one in left:
        try:
            content, wrong = one.source.read_bytes(), ""
        except OSError as error:
            content, wrong = b"", f"{one.source}: {error.strerror or error}"
        else:
            hashes[one.name] = _hash(content)
        yield one.source.name, content, wrong


def _kept(one: One, outcome: Outcome, read: str, mark: str, before: Row | None) -> Row:
    """Put a result in its place, and return its row."""
    written, message = "", outcome.message
    if outcome.content is not None:
        try:
            make_folder(one.target.parent)
            with (
                claimed(check_target(one.target, one.source)) as claim,
                published(claim, one.source) as file,
            ):
                file.write(outcome.content)
            written = _hash(outcome.content)
        except RefusedError as error:
            message = str(error)
    if not written:
        message += _put_away(one.target, before)
    return Row(
        one.name, DONE if written else FAILED, read, written, mark, outcome.in_error,
        outcome.not_evaluated, outcome.not_reproduced, round(outcome.seconds, 3), message,
    )  # fmt: skip


def _put_away(target: Path, before: Row | None) -> str:
    """Remove the result of an earlier run, which would be taken for that of this one."""
    if files.status(target) is None:
        return ""
    if before is not None and before.output_hash and before.output_hash == _hash_of(target):
        try:
            files.remove(target)
            return ""
        except OSError:
            pass
    return f"; the {target.name} that stands among the results is none of this run"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(path: Path) -> str:
    """Return the hash of a file; nothing where it cannot be read."""
    try:
        return _hash(path.read_bytes())
    except OSError:
        return ""


# --- on the worker --------------------------------------------------------------------------------


def _itself(options: Options, _stack: ExitStack) -> Options:
    return options


def _recalculated(options: Options, name: str, content: bytes, wrong: str) -> Outcome:
    """Recalculate one workbook in a process of its own, which is watched."""
    if wrong:
        return Outcome(None, wrong)
    folder = files.working_folder()
    try:
        path = folder / name
        path.write_bytes(content)
        report = recalculate(
            path,
            set_values=options.set_values,
            force=options.force,
            seed=options.seed,
            clock=options.clock,
            baseline=options.baseline,
            deadline=options.deadline,
            isolate=True,
            max_memory=options.memory or machine_memory() // 2 // options.jobs,
        )
        return Outcome(
            path.read_bytes(),
            "; ".join(report.warnings),
            report.error_count,
            report.unevaluated_count,
            report.unreproduced_count,
            report.seconds,
        )
    except RefusedError as error:
        return Outcome(None, str(error))
    except Exception as error:
        # Whatever it is, it is told in the row of this file, and the others go on.
        return Outcome(None, f"{type(error).__name__}: {error}")
    finally:
        files.remove_folder(folder)
