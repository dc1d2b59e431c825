"""What openpyxl leaves wrong in a file it wrote, put right part by part.

Excel forgives these, the Open XML schema does not; and files built twice must be the same bytes.
"""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from pathlib import Path

from lxml import etree

from workbooks.ooxml.publish import claimed, published

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# The order that the schema gives to what a font consists of.
_FONT_ORDER = (
    *("b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign"),
    *("sz", "color", "name", "family", "charset", "scheme"),
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def mend(path: Path, moment: datetime) -> None:
    """Rewrite a workbook with sorted fonts and one date in all its parts.

    Parameters
    ----------
    path : Path
        A workbook that openpyxl has just written; replaced at once or not at all.
    moment : datetime
        The date of creation and change to put into its properties.
    """
    with (
        claimed(path) as claim,
        published(claim, path) as file,
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(file, "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/styles.xml":
                data = _sort_fonts(data)
            elif name == "docProps/core.xml":
                data = re.sub(
                    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                    f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode(),
                    data,
                )
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, data)


def _sort_fonts(styles: bytes) -> bytes:
    root = etree.fromstring(styles)
    for font in root.iter(f"{_MAIN}font"):
        font[:] = sorted(font, key=lambda part: _FONT_ORDER.index(etree.QName(part).localname))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
