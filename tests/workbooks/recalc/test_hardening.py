"""Hostile, broken and unusual input: a clean refusal or a right answer, never a lost file."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from workbooks.ooxml import package
from workbooks.recalc import (
    DeadlineError,
    NotAWorkbookError,
    RefusedError,
    UnsafeFileError,
    UnwritableError,
    recalculate,
)

ONE = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f></c></row>'
BOMB = "A" * (80 << 20)


def formula(text: str) -> str:
    return f'<row r="1"><c r="A1"><f>{escape(text)}</f><v>5</v></c><c r="B1"><f>1+1</f></c></row>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ABS(" * 20_000 + "1" + ")" * 20_000, "more than 8,192 characters"),
        ("ABS(" * 1_600 + "1" + ")" * 1_600, "levels deep"),
        ("(" * 4_000 + "1" + ")" * 4_000, "levels deep"),
        ("+".join(["C1"] * 1_600), "too long"),
        ("-" * 5_000 + "1", "too long"),
        (")(&*^", "closes a bracket"),
        ("SUM(A1", "bracket open"),
        ("[1]Sheet1!A1+1", "never followed"),
        ("'C:\\x\\[b.xlsx]S'!A1", "never followed"),
        ("cmd|'/C calc'!A0", "DDE"),
        ("NOSUCH(1)", "unknown function"),
        ("A1+1", "in a circle of references"),
    ],
)
def test_formulas_that_keep_their_old_value(write, values, text: str, why: str) -> None:
    path = write(formula(text))
    (kept,) = recalculate(path).unevaluated
    assert why in kept.reason
    assert values(path) == {"A1": 5, "B1": 2}


def test_results_beyond_what_the_engine_lays_out(write, values) -> None:
    path = write(
        '<row r="1"><c r="A1" cm="1"><f t="array" ref="A1:A2">_xlfn.SEQUENCE(20000)</f><v>5</v>'
        '</c><c r="B1"><f>SUM(A1:A2)</f></c></row><row r="2"><c r="A2"><v>6</v></c></row>'
    )
    (kept,) = recalculate(path).unevaluated
    assert kept.address == "S!A1"
    assert values(path) == {"A1": 5, "A2": 6, "B1": 11}


def test_zip_bomb(write) -> None:
    with pytest.raises(UnsafeFileError, match="zip bomb"):
        recalculate(write(ONE, extra={"xl/media/image1.png": BOMB}))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "_rels/.rels"])
def test_document_types(write, part: str) -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        "<sheetData>&b;</sheetData></worksheet>"
    )
    with pytest.raises(UnsafeFileError, match="DTD"):
        recalculate(write(ONE, extra={part: bomb}))


def test_entity_of_a_file_is_not_read(write, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("4711")
    sheet = (
        f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]><worksheet><sheetData><row r="1">'
        '<c r="A1"><f>&a;</f></c></row></sheetData></worksheet>'
    )
    with pytest.raises(UnsafeFileError, match="DTD"):
        recalculate(write(sheet))


def test_two_entries_of_one_name(write) -> None:
    path = write(ONE)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(UnsafeFileError, match="two entries"):
        recalculate(path)


def test_encrypted_entry(write) -> None:
    path = write(ONE)
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(NotAWorkbookError, match="encrypted"):
        recalculate(path)


def test_missing_sheet(write) -> None:
    path = write("")
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist() if "sheet1" not in n}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(NotAWorkbookError, match="missing"):
        recalculate(path)


def test_damaged_part(write) -> None:
    path = write("".join(f'<row r="{r}"><c r="A{r}"><f>{r}+1</f></c></row>' for r in range(1, 999)))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    before = path.read_bytes()
    with pytest.raises(NotAWorkbookError, match="damaged"):
        recalculate(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "sheet",
    [
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<x:sheetData><x:row r="1"><!-- A --><x:c r="A1"><x:v>2</x:v></x:c>'
        "<x:c><x:f><![CDATA[A1*2]]></x:f></x:c></x:row></x:sheetData></x:worksheet>",
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">\n'
        '<sheetData>\n <row>\n  <c r="A1">\n   <v>2</v>\n  </c>\n  <c s="0" r="B1">\n   <f>\n'
        "A1*2</f>\n  </c>\n </row>\n</sheetData>\n</worksheet>",
        '<worksheet xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"><sheetData>'
        '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f xml:space="preserve">A1*2 </f></c></row>'
        "</sheetData></worksheet>",
    ],
    ids=["prefixed", "indented", "strict"],
)
def test_unusual_sheets(write, tmp_path: Path, sheet: str) -> None:
    path = write(sheet)
    report = recalculate(path)
    assert (report.evaluated, report.changed[0].new) == (1, 4.0)
    assert recalculate(path).changed_count == 0


def test_utf16_sheet(write, values) -> None:
    path = write(ONE)
    sheet = (
        '<?xml version="1.0" encoding="UTF-16"?><worksheet xmlns='
        '"http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{ONE}</sheetData></worksheet>"
    )
    path = write(ONE, extra={"xl/worksheets/sheet1.xml": sheet.encode("utf-16")})
    recalculate(path)
    assert values(path) == {"A1": 2, "B1": 4}


@pytest.mark.parametrize("name", ["Prévisions 2026 — été", "売上高", "a'b", "x" * 31, "y" * 200])
def test_names_of_sheets(write, values, name: str) -> None:
    quoted = name.replace("'", "''")
    rows = f'<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>\'{quoted}\'!A1*2</f></c></row>'
    path = write({name: rows})
    recalculate(path, set_values=[(f"'{quoted}'!A1", 3)])
    assert recalculate(path, dry_run=True).changed_count == 0
    with zipfile.ZipFile(path) as archive:
        assert b"<v>6</v>" in archive.read("xl/worksheets/sheet1.xml")


def test_last_row_and_column(write) -> None:
    path = write(
        '<row r="1"><c r="A1"><f>XFD1048576+1</f></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>41</v></c></row>'
    )
    assert recalculate(path).changed[0].new == 42.0
    path = write('<row r="1048576"><c r="A1048576"><f>1+1</f></c></row>')
    assert recalculate(path).changed[0].new == 2.0


def test_lock_file(write, tmp_path: Path) -> None:
    path = write(ONE)
    (tmp_path / "~$book.xlsx").write_bytes(b"")
    before = path.read_bytes()
    with pytest.raises(UnwritableError, match="open in another program"):
        recalculate(path)
    assert path.read_bytes() == before
    recalculate(path, tmp_path / "out.xlsx")
    assert recalculate(path, force=True).warnings


def test_symbolic_link_is_written_through(write, tmp_path: Path) -> None:
    path = write(ONE)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.xlsx"
    link.symlink_to(path)
    recalculate(link)
    assert link.is_symlink()
    assert recalculate(path).changed_count == 0


def test_mode_is_kept(write) -> None:
    path = write(ONE)
    path.chmod(0o640)
    recalculate(path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_full_disk(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(ONE)
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnwritableError, match="disk is full"):
        recalculate(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_interrupted_while_writing(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(ONE)
    before = path.read_bytes()

    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(package.Package, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        recalculate(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_while_writing(write, number: int) -> None:
    path = write(ONE)
    before = path.read_bytes()
    script = textwrap.dedent(
        """
        import sys, time
        from workbooks.ooxml import package
        from workbooks.recalc import recalculate
        whole = package.Package.write
        def slow(self, target, *rest):
            whole(self, target, *rest)
            target.flush()
            print("writing", flush=True)
            time.sleep(60)
        package.Package.write = slow
        recalculate(sys.argv[1])
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(number)
        assert process.wait(30) != 0
    assert path.read_bytes() == before
    recalculate(path)


def test_interrupt_in_a_function(write) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_STOP(1)</f></c></row>')
    before = path.read_bytes()

    def stop(*_cells: object) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recalculate(path, functions={"TOK_STOP": stop})
    assert path.read_bytes() == before


def test_fault_in_a_function_is_not_hidden(write) -> None:
    def broken(*_cells: object) -> object:
        raise ZeroDivisionError("a fault of ours")

    path = write('<row r="1"><c r="A1"><f>TOK_BROKEN(1)</f></c></row>')
    with pytest.raises(ZeroDivisionError, match="a fault of ours"):
        recalculate(path, functions={"TOK_BROKEN": broken})


def test_function_that_hangs(write) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_HANG(1)</f></c></row>')
    before = path.read_bytes()
    for hang in (lambda *_: time.sleep(600), lambda *_: _spin()):
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            recalculate(path, functions={"TOK_HANG": hang}, deadline=0.5)
        assert time.monotonic() - started < 60
    assert path.read_bytes() == before


def test_deadline_in_another_thread(write) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_HANG(1)</f></c></row>')
    caught: list[BaseException] = []

    def run() -> None:
        try:
            recalculate(path, functions={"TOK_HANG": lambda *_: _spin()}, deadline=0.5)
        except RefusedError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert [type(error) for error in caught] == [DeadlineError]


def _spin() -> None:
    while True:
        pass


def test_everything_else_in_the_package_stays(write) -> None:
    extra = {
        "xl/vbaProject.bin": os.urandom(4096),
        "xl/drawings/drawing1.xml": "<xdr/>",
        "xl/charts/chart1.xml": "<c:chart/>",
        "xl/media/image1.png": os.urandom(2048),
        "xl/comments1.xml": "<comments/>",
        "xl/threadedComments/threadedComment1.xml": "<ThreadedComments/>",
        "xl/pivotCache/pivotCacheDefinition1.xml": "<pivotCacheDefinition/>",
        "xl/printerSettings/printerSettings1.bin": os.urandom(64),
        "xl/calcChain.xml": '<calcChain><c r="B1" i="1"/></calcChain>',
        "xl/metadata.xml": "<metadata/>",
        "customXml/item1.xml": "<b:Sources xmlns:b='urn:b'/>",
        "docProps/custom.xml": "<Properties/>",
        "_xmlsignatures/sig1.xml": "<Signature/>",
    }
    tail = (
        '<extLst><ext uri="{05C60535-1F16-4fd2-B633-F4F36F0B64E0}" '
        'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
        "<x14:sparklineGroups/></ext></extLst>"
    )
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{ONE}</sheetData>{tail}</worksheet>"
    )
    path = write(
        {"S": sheet, "T": '<row r="1"><c r="A1"><v>1</v></c></row>'},
        name="book.xlsm",
        extra=extra,
        main_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    with zipfile.ZipFile(path) as archive:
        old = {i.filename: (i, archive.read(i)) for i in archive.infolist()}
    report = recalculate(path)
    assert any("signature" in warning for warning in report.warnings)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        new = {i.filename: (i, archive.read(i)) for i in archive.infolist()}
    assert list(new) == list(old)
    changed = {name for name in old if old[name][1] != new[name][1]}
    assert changed == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
    for name in set(old) - changed:
        assert old[name][0].compress_size == new[name][0].compress_size
        assert old[name][0].date_time == new[name][0].date_time
    assert tail.encode() in new["xl/worksheets/sheet1.xml"][1]


@pytest.mark.parametrize("suffix", ["xltx", "xltm", "xlsm"])
def test_other_kinds_of_workbook(write, suffix: str) -> None:
    kind = {"xltx": "template", "xltm": "template.macroEnabled", "xlsm": "sheet.macroEnabled"}
    path = write(
        ONE, name=f"book.{suffix}", main_type=f"application/vnd.ms-excel.{kind[suffix]}.main+xml"
    )
    assert recalculate(path).changed[0].new == 4.0


def test_data_descriptors(write, tmp_path: Path) -> None:
    """Entries written to a pipe carry their sizes behind the data; they are copied as they are."""
    source = write(ONE, extra={"docProps/app.xml": "<Properties/>" * 50})
    piped = tmp_path / "piped.xlsx"

    class Pipe:
        def __init__(self, file) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            return self.file.write(data)

        def flush(self) -> None:
            self.file.flush()

    with (
        zipfile.ZipFile(source) as old,
        piped.open("wb") as file,
        zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    recalculate(piped)
    with zipfile.ZipFile(piped) as archive:
        assert archive.testzip() is None
        assert archive.read("docProps/app.xml") == b"<Properties/>" * 50
