"""Write the pages of the templates that a release carries anew: `python scripts/pages.py`.

Each is computed and compared with recalculation, as `tokenbook export` does. Until it is run after
a change of the sources, the page of a template is made anew on each export, which takes seconds.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

from workbooks import templates
from workbooks.build import drafted
from workbooks.page.document import Page
from workbooks.page.export import Exported, prepared
from workbooks.pages import keep


def made(name: str) -> tuple[Page, Exported]:
    """Return the page of a template, computed and compared."""
    with drafted(name) as draft:
        return prepared(draft, name)


def main() -> None:
    """Make and keep the pages of all templates."""
    # The largest first, so that no core waits for it in the end.
    names = sorted(templates.NAMES, key=lambda name: name not in ("plan", "risk"))
    with ProcessPoolExecutor() as pool:
        pages = dict(zip(names, pool.map(made, names), strict=True))
    keep({name: pages[name] for name in templates.NAMES})
    for name, (_, exported) in pages.items():
        print(f"{name}: formulas that agree, {exported.held}: {exported.formulas:,}")


if __name__ == "__main__":
    main()
