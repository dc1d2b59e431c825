"""Valid workbooks, mutated: a clean refusal, or a file that openpyxl opens; never a lost original.

The number of cases follows the profile of Hypothesis: `TOKENBOOK_FUZZ=2000` asks for thousands.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbooks.ooxml.xml import escape
from workbooks.recalc import RefusedError, recalculate

ROWS = (
    '<row r="1" spans="1:4"><c r="A1"><v>4</v></c><c r="B1" t="str"><f>A1&amp;"x"</f><v>4x</v></c>'
    '<c r="C1" cm="1"><f t="array" ref="C1:C2">_xlfn.SEQUENCE(A1)</f><v>1</v></c>'
    '<c r="D1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">A1+1</f><v>5</v></c>'
    '<c r="C2"><v>2</v></c><c r="D2" t="b"><f>TOK_WEIGHT_GB(A1)&gt;3</f><v>0</v></c></row>'
    '<row r="3"><c r="A3"><f t="shared" si="0"/><v>6</v></c>'
    '<c r="B3"><f t="array" ref="B3:B4">TOK_WEIGHT_GB(A1:A2,8)</f><v>2</v></c>'
    '<c r="D3" t="inlineStr"><is><t>text</t></is></c></row><row r="4"><c r="B4"><v>1</v></c></row>'
    '<row r="9"><c r="A9"><f>Rate*SUM(S:T!A1)</f></c><c r="B9"><f>T!A1</f></c></row>'
)
NAMES = (
    "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml",
    "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml",
)  # fmt: skip
TOKENS = (
    '<c r="A1"', "</c>", "<f>", "</f>", "<v>", "</row>", "<!--", "<![CDATA[", "&amp;", "&", '"',
    "(",
    ")", "#", "[", "]", "!", "@", "{", "}", "SUM(", "A1", "A1:A2", "1E999", "-1", "XFD1048576",
    "AAAA1", 't="array"', 't="shared"', 't="dataTable"', 'ref="A1:B2"', 'ref="ZZZZ"', 'si="9"',
    "\x00", "é", "\ud83d\ude00", "<x:c>", "<!DOCTYPE a>", " ", "\n", "_xlfn.", "TOK_", ",,",
    "1048577",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(make_parts) -> dict[str, bytes]:
    made = make_parts(
        {"S": ROWS, "T": '<row r="1"><c r="A1"><f>S!A1*2</f></c></row>'},
        names='<definedNames><definedName name="Rate">S!$A$1</definedName></definedNames>',
        calc='<calcPr calcId="1" fullCalcOnLoad="1"/>',
    )
    assert sorted(made) == sorted(NAMES)
    return {name: content.encode() for name, content in made.items()}


text_edits = st.tuples(
    st.sampled_from(NAMES),
    st.floats(0, 1),
    st.integers(0, 40),
    st.sampled_from(TOKENS),
)
byte_edits = st.tuples(st.floats(0, 1), st.integers(0, 255))


def packed(parts: dict[str, bytes], kind: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def check(data: bytes) -> None:
    """Recalculate; whatever happens, the file is the old one or a readable new one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        path.write_bytes(data)
        try:
            recalculate(path, deadline=60)
        except RefusedError:
            assert path.read_bytes() == data
        else:
            # What nobody reads is copied as it is, damaged or not.
            if sound(data):
                assert sound(path.read_bytes())
            if opens(data):
                assert opens(path.read_bytes())
        assert list(Path(folder).iterdir()) == [path]


def sound(data: bytes) -> bool:
    """Tell whether all entries of a zip file agree with their checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.testzip() is None


def opens(data: bytes) -> bool:
    """Tell whether openpyxl opens a workbook; it also fails on some that Excel repairs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except Exception:  # its reader raises whatever its parsers raise
        return False
    return True


MANY = settings(
    max_examples=int(os.environ.get("TOKENBOOK_FUZZ", settings().max_examples)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@MANY
@example(edits=[("xl/worksheets/sheet1.xml", 0.5625, 0, "\0")])
@example(edits=[("xl/worksheets/sheet1.xml", 0.59765625, 0, '<c r="A1"')])
@given(edits=st.lists(text_edits, min_size=1, max_size=4))
def test_parts_mutated(parts: dict[str, bytes], edits: list[tuple[str, float, int, str]]) -> None:
    parts = dict(parts)
    for name, where, length, token in edits:
        content = parts[name]
        place = int(where * len(content))
        new = token.encode("utf-8", "surrogatepass")
        parts[name] = content[:place] + new + content[place + length :]
    check(packed(parts, zipfile.ZIP_DEFLATED))


@MANY
@given(st.lists(byte_edits, min_size=1, max_size=6), st.floats(0, 1.2))
def test_bytes_mutated(parts: dict[str, bytes], edits: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(packed(parts, zipfile.ZIP_STORED))
    for where, value in edits:
        data[min(int(where * len(data)), len(data) - 1)] = value
    check(bytes(data[: int(cut * len(data))] if cut < 1 else data))


@MANY
@given(st.text(min_size=1, max_size=60))
def test_any_text_as_formula(parts: dict[str, bytes], text: str) -> None:
    cell = b'<row r="1"><c r="A1"><f>%b</f><v>5</v></c><c r="B1"><f>1+1</f></c></row>'
    sheet = parts["xl/worksheets/sheet1.xml"].replace(ROWS.encode(), cell % escape(text))
    check(packed({**parts, "xl/worksheets/sheet1.xml": sheet}, zipfile.ZIP_DEFLATED))
