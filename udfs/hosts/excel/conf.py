"""The user's settings of xlwings, which several projects may share: read and changed line by line.

xlwings' VBA reads the file in the code page of Windows. A line that is not ours is written back
byte for byte, in whatever code page it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_LINE = re.compile(r'"([^"]*)","([^"]*)"')


def read(path: Path, encoding: str) -> dict[str, str]:
    """Return the settings by their names in capitals; of two with one name xlwings takes the first.

    Parameters
    ----------
    path : Path
        The file; there need be none [-].
    encoding : str
        The code page of Windows [-].
    """
    found: dict[str, str] = {}
    for line in _lines(path, encoding):
        entry = _LINE.match(line)
        if entry:
            found.setdefault(entry[1].upper(), entry[2])
    return found


def write(path: Path, encoding: str, entries: Mapping[str, str | None]) -> None:
    """Change settings and keep the others; None removes one, and a file without any goes.

    Raises
    ------
    UnicodeEncodeError
        Where the code page lacks a character of a value.
    """
    kept = []
    for line in _lines(path, encoding):
        entry = _LINE.match(line)
        if not entry or entry[1].upper() not in entries:
            kept.append(line)
    kept += [f'"{name}","{value}"' for name, value in entries.items() if value is not None]
    if not kept:
        path.unlink(missing_ok=True)
        return
    # A value of ours must be right; a byte of others that is unknown stays that byte.
    for value in filter(None, entries.values()):
        value.encode(encoding)
    content = "".join(f"{line}\r\n" for line in kept).encode(encoding, "surrogateescape")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _lines(path: Path, encoding: str) -> list[str]:
    if not path.exists():
        return []
    return path.read_bytes().decode(encoding, "surrogateescape").splitlines()
