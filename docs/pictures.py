"""Draw what README shows: two sheets of `plan`, as they print, and the page of `breakeven`.

Needs LibreOffice Calc, poppler-utils and Chromium: `python docs/pictures.py`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from workbooks.build import build
from workbooks.pages import export_template
from workbooks.recalc.freeze import freeze

FOLDER = Path(__file__).parent
RESOLUTION = 110


class Picture(NamedTuple):
    """A part of a page of the printed plan [points]."""

    target: str
    page: int
    left: float
    top: float
    width: float
    height: float


PICTURES = (
    Picture("plan-decision", 2, 82, 30, 636, 524),
    Picture("plan-statements", 3, 26, 30, 544, 502),
)
#: The picture of a page: its size [pixels], and what is changed in it.
PAGE, PAGE_SIZE, CHANGE = "page", "1100,820", "price@Steady=0.59"


def main() -> None:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        printed = _printed("plan", Path(folder))
        for picture in PICTURES:
            _cut_out(printed, picture)
        _page("breakeven", Path(folder))


def _printed(template: str, folder: Path) -> Path:
    """Build, freeze (Calc without the add-in does not keep array formulas), and print."""
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


def _page(template: str, folder: Path) -> None:
    """Export a page, and let Chromium open it with a change in its address."""
    page = export_template(template, folder / f"{template}.html").path
    # Chromium refuses its sandbox to root, which a container's user often is.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    subprocess.run(
        ["chromium", *sandbox, "--headless", "--hide-scrollbars", f"--window-size={PAGE_SIZE}",
         f"--user-data-dir={folder}/chromium", "--virtual-time-budget=20000",
         f"--screenshot={FOLDER / PAGE}.png", f"{page.as_uri()}#{CHANGE}"],
        check=True,
        capture_output=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
