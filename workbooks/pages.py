"""The pages of the templates that a release carries: computed, and compared, when it was made.

The page of a template comes from the sources alone. So it lies ready in `page/assets/pages`, beside
a digest of the sources that it was made from. Where that is not the digest of the sources that are
here, or prices are the user's own, the page is computed and compared here, as that of any other
workbook: to be out of date costs seconds, and no figure. `scripts/pages.py` makes them anew.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import engine
import udfs
import workbooks
from engine.prices import OWN_FILE
from workbooks.build import drafted
from workbooks.ooxml.publish import claimed, published
from workbooks.page.document import Page, document
from workbooks.page.export import Exported, export, page_target
from workbooks.page.script import ASSETS

PAGES = ASSETS / "pages"
#: The digest of the sources, and that of each page.
DIGESTS = "digests.json"
# What sources consist of; a file of another kind is none of a release.
_KINDS = frozenset((".py", ".csv", ".json", ".md", ".txt", ".html", ".css", ".js", ".gz"))


def export_template(
    name: str,
    out: str | Path,
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    anew: bool = False,
) -> Exported:
    """Write the page of a template.

    Parameters
    ----------
    name : str
        A template of `workbooks.templates.NAMES`.
    out : str or Path
        The page, *.html.
    inputs, outputs : sequence of str
        Cells to show, by name or as `Sheet!B5`; what the template marks itself, where left out.
    anew : bool
        Whether the page is computed and compared here, though it lies ready.

    Returns
    -------
    Exported
        What is shown, and what is not, and why.

    Raises
    ------
    RefusedError
        Where the page cannot be written, or a cell that is named cannot be shown.
    """
    ready = None if inputs or outputs or anew or os.environ.get(OWN_FILE) else ready_page(name)
    if ready is None:
        with drafted(name) as draft:
            return export(draft, out, inputs=inputs, outputs=outputs, name=name)
    page, exported = ready
    target = page_target(out)
    with claimed(target) as claim, published(claim, PAGES / DIGESTS) as file:
        file.write(document(page).encode())
    return replace(exported, path=target)


def ready_page(name: str) -> tuple[Page, Exported] | None:
    """Return the page of a template; None where none is ready that fits the sources."""
    try:
        told = json.loads((PAGES / DIGESTS).read_text(encoding="utf-8"))
        data = _packed(name).read_bytes()
        if told["sources"] != sources_digest() or told[name] != hashlib.sha256(data).hexdigest():
            return None
        made = json.loads(gzip.decompress(data))
    except (OSError, EOFError, KeyError, ValueError, zlib.error):
        # Not there, or not whole: the way that every other workbook goes is open.
        return None
    exported = made["exported"]
    lists = {key: tuple(value) for key, value in exported.items() if isinstance(value, list)}
    return Page(**made["page"]), Exported(path=Path(), ready=True, **{**exported, **lists})


def keep(made: Mapping[str, tuple[Page, Exported]]) -> None:
    """Put pages where a release carries them."""
    PAGES.mkdir(exist_ok=True)
    told = {"sources": sources_digest()}
    for name, (page, exported) in made.items():
        facts = {
            key: value for key, value in asdict(exported).items() if key not in ("path", "ready")
        }
        text = json.dumps(
            {"page": vars(page), "exported": facts}, ensure_ascii=False, separators=(",", ":")
        )
        data = gzip.compress(text.encode(), 9, mtime=0)
        _packed(name).write_bytes(data)
        told[name] = hashlib.sha256(data).hexdigest()
    (PAGES / DIGESTS).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _packed(name: str) -> Path:
    return PAGES / f"{name}.json.gz"


def sources_digest() -> str:
    """Return the digest of all that a page is made from: every source of the three packages."""
    return digest_of([Path(folder) for p in (engine, udfs, workbooks) for folder in p.__path__])


def digest_of(folders: Iterable[Path]) -> str:
    """Return the digest of the sources in some folders: their places and what is in them."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(_sources(folder)):
            data = path.read_bytes()
            place = path.relative_to(folder.parent).as_posix()
            digest.update(f"{place} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        # What Python compiled, and the pages themselves.
        folders[:] = [f for f in folders if f != "__pycache__" and Path(inside, f) != PAGES]
        yield from (Path(inside, f) for f in files if Path(f).suffix in _KINDS)
