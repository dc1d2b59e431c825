"""Every call to the file system fails once at each of its occurrences: the bytes stay whole.

The seam is `workbooks.ooxml.files`, through which all reading and publishing goes; a test below
sees to that. The oracle is the bytes of the file: what they were, or the whole new content.
"""

from __future__ import annotations

import ast
import errno
import inspect
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

import workbooks
from workbooks.ooxml import files, package
from workbooks.recalc import RefusedError, UnwritableError, recalculate

#: A spill, which is written in another way than single cells, an own function, and a big picture.
ROWS = (
    '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:A2">_xlfn.SEQUENCE(2)</f><v>9</v></c>'
    '<c r="B1"><f>SUM(A1:A2)</f><v>9</v></c></row>'
    '<row r="2"><c r="A2"><v>9</v></c><c r="B2"><f>TOK_SUBSIDY(A2,B1)</f></c></row>'
)
#: Functions of the seam that touch no file.
PURE = {"windows", "identity"}
SEAM = {
    name
    for name, function in inspect.getmembers(files, inspect.isfunction)
    if function.__module__ == files.__name__ and name not in PURE
}
OPENING = {"open_to_read", "create", "open_lock", "working_file", "spool"}
METHODS = {"read", "write", "seek", "flush", "close", "truncate", "tell"}


class Faulty:
    """A file whose methods are told of, and may fail."""

    def __init__(self, file, kind: str, told: Callable[[str], None]) -> None:
        self._file, self._kind, self._told = file, kind, told

    def __getattr__(self, name: str):
        found = getattr(self._file, name)
        if name not in METHODS:
            return found

        def method(*arguments):
            try:
                self._told(f"{self._kind}.{name}")
            except OSError:
                if name == "close":
                    # The system closes the file whatever it says.
                    self._file.close()
                raise
            return found(*arguments)

        return method

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self):
        return iter(self._file)


@contextmanager
def told(tell: Callable[[str], None]) -> Iterator[None]:
    """Have `tell` called before each call of the seam, and of the files that it opens."""
    patch = pytest.MonkeyPatch()

    def wrapped(name: str, function):
        def call(*arguments, **options):
            try:
                tell(name)
            except OSError:
                if name == "close":
                    function(*arguments, **options)
                raise
            result = function(*arguments, **options)
            return Faulty(result, name, tell) if name in OPENING else result

        return call

    for name in SEAM:
        patch.setattr(files, name, wrapped(name, getattr(files, name)))
    try:
        yield
    finally:
        patch.undo()


@pytest.fixture
def place(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    # The picture is copied in three pieces, as a large one is.
    monkeypatch.setattr(package, "_COPY", 1 << 16)
    path = write(ROWS, extra={"xl/media/image1.png": os.urandom(3 << 16)})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(files.tempfile, "tempdir", str(temporary))
    return path.rename(folder / path.name)


def calls_of(path: Path, output: Path | None) -> tuple[Counter[str], bytes]:
    counted: Counter[str] = Counter()
    with told(lambda name: counted.update([name])):
        recalculate(path, output)
    return counted, (output or path).read_bytes()


def occurrences(counted: Counter[str], every: int = 1) -> list[tuple[str, int]]:
    """Return each call, or the first and the last of each kind and some between them."""
    return [
        (name, i)
        for name, count in sorted(counted.items())
        for i in sorted({*range(0, count, every), count - 1})
    ]


@pytest.mark.fault("a call to the file system that fails")
@pytest.mark.parametrize(
    ("where", "number", "every"),
    [
        ("in place", errno.EIO, 12),
        *(
            pytest.param(where, number, 1, marks=pytest.mark.long)
            for where in ("in place", "to another file", "over another file")
            for number in (errno.EIO, errno.ENOSPC, errno.EACCES)
        ),
    ],
)
def test_each_call_fails_once(place: Path, tried, where: str, number: int, every: int) -> None:
    before = place.read_bytes()
    output = None if where == "in place" else place.with_name("out.xlsx")
    target = output or place
    old = before if where == "in place" else b"earlier" if "over" in where else None

    def reset() -> None:
        place.write_bytes(before)
        if output is not None:
            output.unlink(missing_ok=True)
            if old is not None:
                output.write_bytes(old)

    reset()
    counted, new = calls_of(place, output)
    assert {"open_to_read.read", "create.write", "replace", "sync_folder"} <= set(counted)
    for name, place_of in occurrences(counted, every):
        reset()
        seen: Counter[str] = Counter()

        def fail(
            call: str, name: str = name, at: int = place_of, seen: Counter[str] = seen
        ) -> None:
            seen[call] += 1
            if call == name and seen[call] == at + 1:
                raise OSError(number, os.strerror(number))

        case = f"{name}, occurrence {place_of + 1}"
        refused = ""
        with told(fail):
            try:
                report = recalculate(place, output)
            except RefusedError as error:
                refused = str(error)
        now = target.read_bytes() if target.exists() else None
        if refused:
            assert now == old, case
            assert "\n" not in refused, case
        else:
            assert now == new, case
            assert report.evaluated == 3, case
        if output is not None:
            assert place.read_bytes() == before, case
        left = {p.name for p in place.parent.iterdir()} - {place.name, target.name}
        left |= {p.name for p in Path(files.tempfile.tempdir).iterdir()}
        # A lock that cannot be had may be that of another run.
        if name not in ("remove", "remove_folder", "lock"):
            assert not left, case
        # What is left does not stand in the way of the next run, which removes what is beside.
        recalculate(place, output)
        assert target.read_bytes() == new, case
        assert {p.name for p in place.parent.iterdir()} == {place.name, target.name}, case
        for path in Path(files.tempfile.tempdir).iterdir():
            shutil.rmtree(path)
    tried(len(occurrences(counted, every)))


@pytest.mark.fault("a folder that is not brought to the disk after the renaming")
def test_a_folder_that_is_not_synced(place: Path) -> None:
    def fail(name: str) -> None:
        if name == "sync_folder":
            raise OSError(errno.EIO, "Input/output error")

    with told(fail):
        (warning,) = recalculate(place).warnings
    assert "is written" in warning
    assert recalculate(place, dry_run=True).changed_count == 0


@pytest.mark.fault("a read that gives less than there is")
def test_a_file_that_shrinks_while_it_is_read(place: Path, tried) -> None:
    before = place.read_bytes()
    counted, _ = calls_of(place, None)
    for at in range(counted["open_to_read.read"]):
        place.write_bytes(before)
        seen = Counter[str]()

        def shrink(name: str, at: int = at, seen: Counter[str] = seen) -> None:
            seen[name] += 1
            if name == "open_to_read.read" and seen[name] == at + 1:
                os.truncate(place, len(before) // 3)

        with told(shrink), pytest.raises(RefusedError):
            recalculate(place)
        assert place.read_bytes() == before[: len(before) // 3]
        assert list(place.parent.iterdir()) == [place]
    tried(counted["open_to_read.read"])


# --- the seam is all there is ------------------------------------------------------------------

#: What touches files, and the modules in which it may stand.
TOUCHING = {
    "open", "mkstemp", "mkdtemp", "TemporaryDirectory", "NamedTemporaryFile", "fdopen", "unlink",
    "rename", "replace_file", "rmtree", "chmod", "chown", "fsync", "scandir", "listdir", "stat",
    "exists", "is_dir", "is_file", "write_bytes", "write_text", "mkdir", "touch", "access",
}  # fmt: skip


@pytest.mark.parametrize(
    "module",
    ["ooxml/package.py", "ooxml/publish.py", "recalc/splice.py", "ooxml/book.py", "ooxml/scan.py",
     "ooxml/overrides.py", "ooxml/tables.py", "recalc/run.py", "recalc/job.py",
     "recalc/results.py", "recalc/prepare.py"],
)  # fmt: skip
def test_nothing_else_touches_files(module: str) -> None:
    source = (Path(workbooks.__file__).parent / module).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
        # Parts of a zip file that is open are opened too.
        inside = owner in ("self._zip", "out", "self._file")
        assert name not in TOUCHING or inside, f"line {node.lineno}: {owner}.{name}"


# --- lost updates ------------------------------------------------------------------------------


@pytest.mark.fault("another program writes the file meanwhile")
@pytest.mark.parametrize("way", ["in place", "replaced", "touched", "removed", "appears"])
def test_a_file_that_another_program_writes(place: Path, way: str) -> None:
    target = place.with_name("out.xlsx") if way == "appears" else place
    theirs = b"" if way == "appears" else place.read_bytes()

    def meddle(name: str) -> None:
        nonlocal theirs
        if name != "create":
            return
        if way == "removed":
            target.unlink()
            theirs = b""
        elif way == "touched":
            os.utime(target, ns=(1, 1))
        elif way == "replaced":
            other = target.with_name("other")
            other.write_bytes(theirs)
            other.replace(target)
        else:
            theirs += b"theirs"
            target.write_bytes(theirs)

    with told(meddle), pytest.raises(UnwritableError, match="changed by another program"):
        recalculate(place, None if target == place else target)
    assert (target.read_bytes() if target.exists() else b"") == theirs
    assert {p.name for p in place.parent.iterdir()} <= {place.name, target.name}


@pytest.mark.fault("two runs on one file")
def test_two_runs_on_one_file(place: Path) -> None:
    before = place.read_bytes()
    refused = []

    def second(_stage: str, _done: int, _total: int) -> None:
        with pytest.raises(UnwritableError, match="another run"):
            recalculate(place)
        assert place.read_bytes() == before
        refused.append(1)

    recalculate(place, progress=second)
    assert refused
    # Where nothing is written, nobody is in the way.
    recalculate(place, progress=lambda *_: recalculate(place, dry_run=True) and None)


@pytest.mark.fault("what a killed run left")
def test_what_a_killed_run_left(place: Path) -> None:
    for kind in ("lock", "part"):
        place.with_name(f".{place.name}.tokenbook-{kind}").write_bytes(b"left")
    recalculate(place)
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.fault("a file system without locks")
def test_a_file_system_without_locks(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "lock", lambda _file: None)
    recalculate(place)
    assert list(place.parent.iterdir()) == [place]
    assert recalculate(place, dry_run=True).changed_count == 0


# --- what belongs to the file ------------------------------------------------------------------


@pytest.mark.fault("extended attributes of the file")
def test_extended_attributes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "setxattr"):
        pytest.skip("the system has none")
    try:
        os.setxattr(place, "user.origin", b"treasury")
    except OSError:
        pytest.skip("the file system has none")
    assert not recalculate(place).warnings
    assert os.getxattr(place, "user.origin") == b"treasury"
    copy = files.copy_attribute

    def fail(*arguments):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(files, "copy_attribute", fail)
    (warning,) = recalculate(place).warnings
    assert "user.origin" in warning
    assert copy is not fail


@pytest.mark.fault("the owner of the file")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_is_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(place, 4711, 4712)
    place.chmod(0o2640)
    assert not recalculate(place).warnings
    found = place.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (4711, 4712, 0o2640)

    def fail(*_arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files, "set_owner", fail)
    warnings = recalculate(place).warnings
    assert ["user 4711" in w or "group 4712" in w for w in warnings] == [True, True]


@pytest.mark.fault("a hard link")
def test_a_hard_link_is_told(place: Path) -> None:
    before = place.read_bytes()
    other = place.with_name("other.xlsx")
    other.hardlink_to(place)
    (warning,) = recalculate(place).warnings
    assert "2 names" in warning
    assert other.read_bytes() == before


# --- Windows, as it behaves ---------------------------------------------------------------------


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Let files behave as there; returns those that another program holds open."""
    held: set[Path] = set()
    opened: dict[int, tuple[Path, object]] = {}

    def is_open(path: Path) -> bool:
        return path in held or any(p == path and not f.closed for p, f in opened.values())

    def opening(function, path: Path):
        file = function(path)
        opened[id(file)] = (path, file)
        return file

    for name in ("create", "open_lock", "open_to_read"):
        monkeypatch.setattr(files, name, partial(opening, getattr(files, name)))
    remove, replace = files.remove, files.replace

    def removing(path: Path) -> None:
        if is_open(path):
            raise PermissionError(errno.EACCES, "it is being used by another process")
        remove(path)

    def replacing(source: Path, target: Path) -> None:
        if is_open(source) or target in held:
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(files, "windows", lambda: True)
    monkeypatch.setattr(files, "remove", removing)
    monkeypatch.setattr(files, "replace", replacing)
    monkeypatch.setattr(files, "lock", lambda _file: True)
    monkeypatch.delattr(os, "chown", raising=False)
    monkeypatch.delattr(os, "O_DIRECTORY", raising=False)
    monkeypatch.delattr(os, "listxattr", raising=False)
    monkeypatch.delattr(os, "O_NOFOLLOW", raising=False)
    return held


@pytest.mark.fault("Windows: nothing that is open is removed or renamed")
def test_windows(place: Path, windows: set[Path]) -> None:
    recalculate(place, place.with_name("out.xlsx"))
    assert {p.name for p in place.parent.iterdir()} == {place.name, "out.xlsx"}
    assert recalculate(place.with_name("out.xlsx"), dry_run=True).changed_count == 0


@pytest.mark.fault("Windows: the file is open in Excel")
def test_windows_open_in_excel(place: Path, windows: set[Path]) -> None:
    before = place.read_bytes()
    windows.add(place)
    output = place.with_name("out.xlsx")
    recalculate(place, output)
    windows.add(output)
    new = output.read_bytes()
    with pytest.raises(UnwritableError, match="open in another program"):
        recalculate(place, output)
    assert (place.read_bytes(), output.read_bytes()) == (before, new)
    assert {p.name for p in place.parent.iterdir()} == {place.name, "out.xlsx"}
