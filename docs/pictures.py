"""Draw docs/breakeven.png: the sheet Breakeven of the template, as it prints.

Needs LibreOffice Calc and poppler-utils: `python docs/pictures.py`.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from workbooks.build import build
from workbooks.recalc.freeze import freeze

TARGET = Path(__file__).with_name("breakeven.png")
#: The page of the sheet in the printed workbook, and the part of it that is drawn [points].
PAGE, LEFT, TOP, WIDTH, HEIGHT = 4, 105, 68, 632, 318
RESOLUTION = 110


def main() -> None:
    """Build, freeze (Calc without the add-in does not keep array formulas), print, cut out."""
    with tempfile.TemporaryDirectory() as folder:
        built = build("breakeven", Path(folder)).path
        frozen = built.with_name("frozen.xlsx")
        freeze(built, frozen)
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
             "--convert-to", "pdf", "--outdir", folder, str(frozen)],
            check=True,
            capture_output=True,
        )  # fmt: skip
        scale = RESOLUTION / 72
        subprocess.run(
            ["pdftoppm", "-png", "-r", str(RESOLUTION), "-f", str(PAGE), "-singlefile",
             "-x", f"{LEFT * scale:.0f}", "-y", f"{TOP * scale:.0f}",
             "-W", f"{WIDTH * scale:.0f}", "-H", f"{HEIGHT * scale:.0f}",
             str(frozen.with_suffix(".pdf")), str(TARGET.with_suffix(""))],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
