"""Take docs/calc-breakeven.png: the breakeven template, open in LibreOffice Calc.

Needs LibreOffice Calc and, for a screen of its own, the Debian packages xvfb, xdotool,
imagemagick, libreoffice-gtk3 and fonts-liberation: `python docs/screenshots.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from udfs.hosts.libreoffice import program
from udfs.hosts.libreoffice.office import environment, prepared_profile
from workbooks.build import build

TARGET = Path(__file__).with_name("calc-breakeven.png")
DISPLAY = ":87"
SIZE = "1440x900"
TRIES = 60
LEAST_BYTES = 60_000
#: From the cover to the sheet Breakeven, and there from A1 to the first subsidy.
SHEETS_ON, DOWN, RIGHT = 3, 7, 5
# No tips, no "what is new", no question about the file format and no words underlined.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="FirstRun"><value>false</value>
</prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="ShowTipOfTheDay">
<value>false</value></prop></item>
<item oor:path="/org.openoffice.Office.Linguistic/SpellChecking">
<prop oor:name="IsSpellAuto"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Setup/Product"><prop oor:name="LastTimeDonateShown">
<value>4000000000</value></prop></item>
<item oor:path="/org.openoffice.Setup/Product"><prop oor:name="LastTimeGetInvolvedShown">
<value>4000000000</value></prop></item>
<item oor:path="/org.openoffice.Setup/Product"><prop oor:name="ooSetupLastVersion">
<value>99.9</value></prop></item>
</oor:items>
"""


def main() -> None:
    """Build the template, open it in Calc on a screen of its own, and take the picture."""
    with tempfile.TemporaryDirectory(prefix="tokenbook-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        workbook = build("breakeven", folder, flavour="ods").path
        profile = folder / "profile"
        shutil.copytree(prepared_profile(), profile)
        (profile / "user" / "registrymodifications.xcu").write_text(SETTINGS, "utf-8")
        take(workbook, profile)
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


def take(workbook: Path, profile: Path) -> None:
    """Open a workbook in Calc on a screen of its own, and take the picture."""
    found = program()
    screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", f"{SIZE}x24"])
    calc = subprocess.Popen(
        [
            found.soffice,
            "--norestore",
            "--nologo",
            f"-env:UserInstallation={profile.as_uri()}",
            workbook,
        ],
        env=environment(found.python) | {"DISPLAY": DISPLAY},
        start_new_session=True,
    )
    try:
        screen_file = workbook.parent / "screen.png"
        at_rest(screen_file)
        press(["ctrl+Next"] * SHEETS_ON + ["ctrl+Home"] + ["Down"] * DOWN + ["Right"] * RIGHT)
        at_rest(screen_file)
        trimmed = ["-trim", "+repage", "-strip", "-colors", "128"]
        subprocess.run(["convert", screen_file, *trimmed, TARGET], check=True)
    finally:
        os.killpg(calc.pid, signal.SIGKILL)
        calc.wait()
        screen.terminate()
        screen.wait()


def press(keys: list[str]) -> None:
    """Give the window the focus, which no window manager gives it here, and press keys."""
    environment_of_screen = os.environ | {"DISPLAY": DISPLAY}
    focus = ["xdotool", "search", "--onlyvisible", "--name", "Calc", "windowfocus", "--sync"]
    subprocess.run(focus, check=True, env=environment_of_screen)
    typed = ["xdotool", "key", "--delay", "150", *keys]
    subprocess.run(typed, check=True, env=environment_of_screen)


def at_rest(taken: Path) -> None:
    """Take the screen once it shows a workbook and no longer changes; fail where it never does."""
    before = b""
    for _ in range(TRIES):
        time.sleep(2)
        command = [
            "import",
            "-display",
            DISPLAY,
            "-window",
            "root",
            "-define",
            "png:exclude-chunks=date,time",
            taken,
        ]
        if subprocess.run(command, check=False).returncode:
            continue  # The screen is not there yet.
        now = taken.read_bytes()
        # A screen with a workbook on it takes far more than an empty one or a bare window.
        if now == before and len(now) > LEAST_BYTES:
            return
        before = now
    raise SystemExit(f"Calc did not come to rest on the screen within {2 * TRIES} seconds")


if __name__ == "__main__":
    main()
