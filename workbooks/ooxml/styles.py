"""The looks of one workbook's cells taken over into another, whose own keep their numbers."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from workbooks.errors import RefusedError
from workbooks.ooxml.xml import local_name

#: In the order of the standard.
_ORDER = (
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"),
    *("tableStyles", "colors", "extLst"),
)
#: What an attribute of a look numbers, and how many of the first are there by custom.
_PARTS = {"fontId": ("fonts", 1), "fillId": ("fills", 2), "borderId": ("borders", 1)}
_APPLIED = ("applyFont", "applyFill", "applyBorder", "applyNumberFormat", "applyAlignment",
            "applyProtection")  # fmt: skip
_FIRST_OWN_FORMAT = 164
_MOST_LOOKS = 64_000


class Looks:
    """Two parts of styles: `mine` grows by what is taken over from `theirs`.

    Parameters
    ----------
    mine, theirs : Element
        The roots of both, in the same namespace.
    """

    def __init__(self, mine: etree._Element, theirs: etree._Element) -> None:
        self.mine, self.theirs = mine, theirs
        self._space = etree.QName(mine).namespace
        self._places: dict[str, dict[bytes, int]] = {}
        self._looks: dict[int, int] = {}

    def cell(self, index: int) -> int:
        """Return the number in `mine` of a cell's look in `theirs`."""
        if index not in self._looks:
            look = deepcopy(self._list(self.theirs, "cellXfs")[index])
            for attribute, (name, customary) in _PARTS.items():
                part = self._list(self.theirs, name)[int(look.get(attribute, "0"))]
                look.set(attribute, str(self._place(name, part, customary)))
            look.set("numFmtId", str(self._format(int(look.get("numFmtId", "0")))))
            for attribute in _APPLIED:
                look.set(attribute, "1")
            # A style by name stays behind: all of it stands in the look itself.
            look.attrib.pop("xfId", "")
            if len(self._list(self.mine, "cellStyleXfs")):
                look.set("xfId", "0")
            self._looks[index] = self._place("cellXfs", look, 1)
        return self._looks[index]

    def differing(self, index: int) -> int:
        """Return the number in `mine` of the look of a rule in `theirs`."""
        return self._place("dxfs", self._list(self.theirs, "dxfs")[index], 0)

    def _format(self, number: int) -> int:
        if number < _FIRST_OWN_FORMAT:
            return number
        code = next(
            f.get("formatCode")
            for f in self._list(self.theirs, "numFmts")
            if f.get("numFmtId") == str(number)
        )
        formats = self._list(self.mine, "numFmts", make=True)
        for known in formats:
            if known.get("formatCode") == code:
                return int(known.get("numFmtId", "0"))
        free = max((_FIRST_OWN_FORMAT, *(int(known.get("numFmtId", "0")) + 1 for known in formats)))
        etree.SubElement(
            formats, f"{{{self._space}}}numFmt", numFmtId=str(free), formatCode=code or "General"
        )
        formats.set("count", str(len(formats)))
        return free

    def _place(self, name: str, element: etree._Element, customary: int) -> int:
        """Return where a list of `mine` has an element, which is put at its end if need be."""
        there = self._list(self.mine, name, make=True)
        if not len(there):
            # A cell without a look has the first: where there was none, that of an empty workbook.
            there.extend(deepcopy(one) for one in list(self._list(self.theirs, name))[:customary])
        if name not in self._places:
            self._places[name] = {}
            for place, one in enumerate(there):
                self._places[name].setdefault(_written(one), place)
        places = self._places[name]
        written = _written(element)
        if written not in places:
            if len(there) >= _MOST_LOOKS:
                raise RefusedError("the workbook has as many cell formats as Excel allows")
            places[written] = len(there)
            there.append(deepcopy(element))
        there.set("count", str(len(there)))
        return places[written]

    def _list(self, root: etree._Element, name: str, *, make: bool = False) -> etree._Element:
        found = root.find(f"{{{self._space}}}{name}")
        if found is None:
            found = etree.Element(f"{{{self._space}}}{name}")
            if make:
                later = _ORDER[_ORDER.index(name) + 1 :]
                place = next((i for i, c in enumerate(root) if local_name(c) in later), len(root))
                root.insert(place, found)
        return found


def _written(element: etree._Element) -> bytes:
    """Return an element so that two alike are the same bytes."""
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
