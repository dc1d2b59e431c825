"""From a template's name to a finished workbook: laid out, written, recalculated, published."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from engine.errors import TokenbookError
from workbooks import templates
from workbooks.authoring.layout import Book
from workbooks.authoring.mend import pack
from workbooks.authoring.opendocument import same_cells
from workbooks.authoring.writer import COVER, FIRST_HEADLINE, write
from workbooks.ooxml.book import read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import MAIN
from workbooks.recalc import Report, UnwritableError, recalculate
from workbooks.recalc.job import Progress
from workbooks.recalc.run import uncollected

_ENDINGS = {
    "xlsx": ".xlsx",
    "xlsm": ".xlsm",
    "officejs": "-officejs.xlsx",
    "ods": ".ods",
    "native": "-native.xlsx",
}


@dataclass(frozen=True)
class Built:
    """A finished workbook."""

    name: str
    path: Path
    report: Report
    #: Label, value, number format name and unit of each headline figure.
    headlines: tuple[tuple[str, float | str | None, str, str], ...]
    #: Whether each headline is told for every scenario, as "scenario: figure".
    side_by_side: bool = False


def build(
    name: str,
    directory: Path,
    *,
    flavour: str = "xlsx",
    file_name: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Built:
    """Build one template, with every value in it.

    Parameters
    ----------
    name : str
        A template of `workbooks.templates.NAMES`.
    directory : Path
        Where the workbook goes; made where it is missing.
    flavour : str
        "xlsx"; "xlsm", with the VBA of classic xlwings; "officejs", whose functions have the
        names under which Office.js stores them; "ods", for Calc with the add-in, written by
        LibreOffice; or "native", which holds them as LAMBDA names.
    file_name : str
        What the workbook is called in the directory; its own name where left out.
    force : bool
        Whether to write over a workbook that differs from a freshly built one.
    progress : Callable
        Told the step, what is done and the total.

    Raises
    ------
    TokenbookError
        Where the template is unknown, the directory cannot be written, or a workbook stands
        there that has been changed and `force` is not set.
    """
    file_name = file_name or f"{name}{_ENDINGS[flavour]}"
    with uncollected():
        return build_book(templates.lay_out(name), directory / file_name, flavour, force, progress)


def build_book(
    book: Book,
    path: Path,
    flavour: str = "xlsx",
    force: bool = False,
    progress: Progress | None = None,
) -> Built:
    """Build what is laid out, as `build` does a template."""
    directory = path.parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".tokenbook-") as scratch:
            draft = Path(scratch) / f"{book.name}.xlsx"
            write(book, draft)
            report = recalculate(draft, progress=progress)
            headlines = _headline_values(draft, book)
            draft = _flavoured(draft, flavour)
            if flavour != "ods":
                pack(draft)
            if path.exists() and not force and not filecmp.cmp(draft, path, shallow=False):
                if flavour != "ods" or not same_cells(draft, path):
                    raise TokenbookError(
                        f"{path} exists and is not as built; --force writes over it, -o elsewhere"
                    )
                # It is as built but for the bytes of its styles, and may have a user's own.
            else:
                os.replace(draft, path)
    except OSError as error:
        raise UnwritableError(f"{directory}: cannot be written: {error.strerror}") from error
    return Built(book.name, path, report, headlines, book.side_by_side)


@contextmanager
def drafted(name: str) -> Iterator[Path]:
    """Lay out a template as a workbook without values, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="tokenbook-") as folder:
        draft = Path(folder) / f"{name}.xlsx"
        write(templates.lay_out(name), draft)
        yield draft


def _flavoured(draft: Path, flavour: str) -> Path:
    """Return the workbook in the flavour that is wanted."""
    if flavour == "xlsm":
        from udfs.hosts.excel.xlsm import write_xlsm  # noqa: PLC0415  (only for this flavour)

        return write_xlsm(draft, draft.with_suffix(".xlsm"))
    if flavour == "officejs":
        from udfs.hosts.officejs.stored_names import write_officejs  # noqa: PLC0415

        return write_officejs(draft, draft.with_name(f"{draft.stem}-officejs.xlsx"))
    if flavour == "ods":
        from workbooks.review.second_opinion import write_ods  # noqa: PLC0415

        write_ods(draft, draft.with_suffix(".ods"))
        return draft.with_suffix(".ods")
    if flavour == "native":
        from workbooks.authoring.native import make_native  # noqa: PLC0415

        make_native(draft, draft)
    return draft


def _headline_values(
    path: Path, book: Book
) -> tuple[tuple[str, float | str | None, str, str], ...]:
    """Read the headline figures from the cover, whose labels may be formulas too."""
    if not book.headlines:
        return ()
    with Package(path) as package:
        sheets = {sheet.name: sheet.part for sheet in read_book(package).sheets}
        root = etree.fromstring(package.read(sheets[COVER]))
    shown = {cell.get("r"): _shown(cell) for cell in root.iter(f"{{{MAIN}}}c")}
    return tuple(
        (str(shown[f"A{row}"]), shown[f"B{row}"], number_format, str(shown.get(f"C{row}") or ""))
        for row, (_, _, number_format, _) in enumerate(book.headlines, start=FIRST_HEADLINE)
    )


def _shown(cell: etree._Element) -> float | str | None:
    """Return what a cell of a finished workbook shows: a number, a text or nothing."""
    parts = cell.iter(f"{{{MAIN}}}v", f"{{{MAIN}}}t")
    text = "".join(part.text or "" for part in parts)
    if not text:
        return None
    return float(text) if cell.get("t", "n") == "n" else text
