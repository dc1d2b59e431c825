"""What openpyxl leaves wrong in a file it wrote, put right part by part.

Excel forgives these, the Open XML schema does not; and files built twice must be the same bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from workbooks.authoring.sharing import share_formulas
from workbooks.ooxml.publish import claimed, published

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# The order that the schema gives to what a font consists of.
_FONT_ORDER = (
    *("b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign"),
    *("sz", "color", "name", "family", "charset", "scheme"),
)
#: Gives a part its cells.
Filled: TypeAlias = Callable[[bytes], bytes]
# Levels of compression: of a draft, which is read again at once, and of what people keep and send.
_NONE, _SMALL = 0, 9
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def mend(path: Path, moment: datetime, filled: Mapping[str, Filled]) -> None:
    """Rewrite a workbook with its cells, sorted fonts, shared formulas, and one date in all parts.

    Parameters
    ----------
    path : Path
        A workbook that openpyxl has just written; replaced at once or not at all.
    moment : datetime
        The date of creation and change to put into its properties.
    filled : Mapping
        Gives the part of a sheet its cells, by the name of the part.
    """

    def mended(name: str, data: bytes) -> bytes:
        if name == "xl/styles.xml":
            return _sort_fonts(data)
        if name in filled:
            return share_formulas(filled[name](data))
        if name == "docProps/core.xml":
            told = f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode()
            return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told, data)
        return data

    _rewrite(path, mended, _NONE)


def pack(path: Path) -> None:
    """Compress each part of a finished workbook as far as it goes; a recalculation is quicker."""
    _rewrite(path, lambda _, data: data, _SMALL)


def _rewrite(path: Path, changed: Callable[[str, bytes], bytes], level: int) -> None:
    with (
        claimed(path) as claim,
        published(claim, path) as file,
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(file, "w") as target,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o600 << 16
            method = zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED
            target.writestr(entry, changed(name, source.read(name)), method, level)


def _sort_fonts(styles: bytes) -> bytes:
    root = etree.fromstring(styles)
    for font in root.iter(f"{_MAIN}font"):
        font[:] = sorted(font, key=lambda part: _FONT_ORDER.index(etree.QName(part).localname))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
