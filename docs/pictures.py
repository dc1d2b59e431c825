"""Draw the sheets that README shows, as they print: of `breakeven`, and two of `plan`.

Needs LibreOffice Calc and poppler-utils: `python docs/pictures.py`.
"""

from __future__ import annotations

import subprocess
import tempfile
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from workbooks.build import build
from workbooks.recalc.freeze import freeze

FOLDER = Path(__file__).parent
RESOLUTION = 110


class Picture(NamedTuple):
    """A part of a page of a printed workbook [points]."""

    template: str
    target: str
    page: int
    left: float
    top: float
    width: float
    height: float


PICTURES = (
    Picture("breakeven", "breakeven", 4, 92, 76, 660, 292),
    Picture("plan", "plan-decision", 2, 82, 30, 636, 524),
    Picture("plan", "plan-statements", 3, 26, 30, 544, 502),
)


def main() -> None:
    """Build, freeze (Calc without the add-in does not keep array formulas), print, cut out."""
    for template, pictures in groupby(PICTURES, key=lambda picture: picture.template):
        with tempfile.TemporaryDirectory() as folder:
            printed = _printed(template, Path(folder))
            for picture in pictures:
                _cut_out(printed, picture)


def _printed(template: str, folder: Path) -> Path:
    built = build(template, folder).path
    frozen = built.with_name("frozen.xlsx")
    freeze(built, frozen)
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
         "--convert-to", "pdf", "--outdir", str(folder), str(frozen)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return frozen.with_suffix(".pdf")


def _cut_out(printed: Path, picture: Picture) -> None:
    scale = RESOLUTION / 72
    subprocess.run(
        ["pdftoppm", "-png", "-r", str(RESOLUTION), "-f", str(picture.page), "-singlefile",
         "-x", f"{picture.left * scale:.0f}", "-y", f"{picture.top * scale:.0f}",
         "-W", f"{picture.width * scale:.0f}", "-H", f"{picture.height * scale:.0f}",
         str(printed), str(FOLDER / picture.target)],
        check=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
