"""Two .ods files compared: LibreOffice never writes the same bytes twice."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def same_cells(one: Path, other: Path) -> bool:
    """Tell whether two .ods files have the same sheets, formulas, values and charts.

    The names of styles are passed over: LibreOffice numbers them as it comes upon them.

    Parameters
    ----------
    one, other : Path
        The files [-].

    Returns
    -------
    bool
        Whether they differ in styles at most; False where one is no .ods [-].
    """
    try:
        return _content(one) == _content(other)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError):
        return False


def _content(path: Path) -> list[tuple[str, dict[str, str], str | None]]:
    with zipfile.ZipFile(path) as package:
        root = etree.fromstring(package.read("content.xml"))
    body = root.find(f"{_OFFICE}body")
    found = [] if body is None else list(body.iter(etree.Element))
    return [
        (
            str(element.tag),
            {
                str(name): str(value)
                for name, value in element.attrib.items()
                if not str(name).endswith("style-name")
            },
            element.text,
        )
        for element in found
    ]
