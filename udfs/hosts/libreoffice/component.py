"""The add-in's one file inside LibreOffice: it hands every call to the functions in `udfs`.

LibreOffice's own Python runs a copy of this file from the installed extension. `tokenbook.json`
beside it, written when the extension was built, tells where Tokenbook and NumPy lie.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def _helper() -> Any:
    import unohelper  # noqa: PLC0415  (only LibreOffice's own Python has it)

    address = json.loads(Path(__file__).with_name("tokenbook.json").read_text("utf-8"))["service"]
    helper = unohelper.ImplementationHelper()
    helper.addImplementation(_create, address, (address, "com.sun.star.sheet.AddIn"))
    return helper


def _create(_context: Any, *_arguments: Any) -> Any:
    import uno  # noqa: PLC0415
    import unohelper  # noqa: PLC0415

    built = json.loads(Path(__file__).with_name("tokenbook.json").read_text("utf-8"))
    # In front: a NumPy of the system may be older than the one Tokenbook was installed with.
    sys.path[:0] = [path for path in built["paths"] if path not in sys.path]
    from udfs.declare import registry  # noqa: PLC0415
    from udfs.hosts.libreoffice.values import methods, pack  # noqa: PLC0415

    # A function that has gone since the add-in was built stays away, and Calc says so.
    known = [registry[name] for name in built["functions"] if name in registry]
    members: dict[str, Any] = methods(known)
    members["TOK_CELLS"] = lambda _self, area: pack(area)
    bases = (unohelper.Base, uno.getClass(built["interface"]))
    return type("Functions", bases, members)()


def getComponentFactory(name: str, manager: Any, key: Any) -> Any:  # noqa: N802
    """Return what makes the add-in; LibreOffice's Python loader asks for it by this name."""
    return _helper().getComponentFactory(name, key, manager)


def writeRegistryInfo(manager: Any, key: Any) -> bool:  # noqa: N802
    """Register the add-in; LibreOffice's Python loader asks for it by this name."""
    return bool(_helper().writeRegistryInfo(key, manager))
