"""CONVERT: units of measure, with the prefixes that they take.

Sources: the tables of units and prefixes of Microsoft's page on CONVERT; the sizes are those of
NIST Special Publication 811 (2008), appendix B, and exact by definition where it says so. The
atomic mass unit and the electronvolt are those of CODATA 2006, which Excel has.
"""

from __future__ import annotations

from workbooks.excel.runtime.coerce import Refusal

_FOOT, _POUND, _GRAVITY = 0.3048, 453.59237, 9.80665
_GALLON, _IMPERIAL = 3.785411784e-3, 4.54609e-3
_SURVEY_MILE = 6336000 / 3937
_BTU, _INCH = 1055.05585262, _FOOT / 12
#: Units by what they measure: how many of the first of each they are. A `*` takes prefixes.
_SIZES: dict[str, dict[str, float]] = {
    "mass": {
        "g*": 1, "sg": _POUND * _GRAVITY / _FOOT, "lbm": _POUND, "u*": 1.660538782e-24,
        "ozm": _POUND / 16, "grain": _POUND / 7000, "cwt": _POUND * 100, "shweight": _POUND * 100,
        "uk_cwt": _POUND * 112, "lcwt": _POUND * 112, "hweight": _POUND * 112,
        "stone": _POUND * 14, "ton": _POUND * 2000, "uk_ton": _POUND * 2240,
        "LTON": _POUND * 2240, "brton": _POUND * 2240,
    },
    "length": {
        "m*": 1, "mi": _FOOT * 5280, "Nmi": 1852, "in": _INCH, "ft": _FOOT, "yd": _FOOT * 3,
        "ang*": 1e-10, "ell": _INCH * 45, "ly*": 9460730472580800, "parsec*": 3.08567758128155e16,
        "pc*": 3.08567758128155e16, "Pica": _INCH / 72, "Picapt": _INCH / 72, "pica": _INCH / 6,
        "survey_mi": _SURVEY_MILE,
    },
    "time": {
        "sec*": 1, "s*": 1, "yr": 86400 * 365.25, "day": 86400, "d": 86400, "hr": 3600,
        "mn": 60, "min": 60,
    },
    "pressure": {
        "Pa*": 1, "p*": 1, "atm*": 101325, "at*": 101325, "mmHg*": 133.322,
        "psi": _POUND / 1000 * _GRAVITY / _INCH**2, "Torr": 101325 / 760,
    },
    "force": {
        "N*": 1, "dyn*": 1e-5, "dy*": 1e-5, "lbf": _POUND / 1000 * _GRAVITY,
        "pond*": _GRAVITY / 1000,
    },
    "energy": {
        "J*": 1, "e*": 1e-7, "c*": 4.184, "cal*": 4.1868, "eV*": 1.602176487e-19,
        "ev*": 1.602176487e-19, "HPh": 550 * _POUND / 1000 * _GRAVITY * _FOOT * 3600,
        "hh": 550 * _POUND / 1000 * _GRAVITY * _FOOT * 3600, "Wh*": 3600, "wh*": 3600,
        "flb": _POUND / 1000 * _GRAVITY * _FOOT, "BTU": _BTU, "btu": _BTU,
    },
    "power": {
        "W*": 1, "w*": 1, "HP": 550 * _POUND / 1000 * _GRAVITY * _FOOT,
        "h": 550 * _POUND / 1000 * _GRAVITY * _FOOT, "PS": 75 * _GRAVITY,
    },
    "magnetism": {"T*": 1, "ga*": 1e-4},
    "volume": {
        "m3*": 1, "m^3*": 1, "l*": 1e-3, "L*": 1e-3, "lt*": 1e-3, "tsp": _GALLON / 768,
        "tspm": 5e-6, "tbs": _GALLON / 256, "oz": _GALLON / 128, "cup": _GALLON / 16,
        "pt": _GALLON / 8, "us_pt": _GALLON / 8, "uk_pt*": _IMPERIAL / 8, "qt": _GALLON / 4,
        "uk_qt": _IMPERIAL / 4, "gal": _GALLON, "uk_gal": _IMPERIAL, "ang3*": 1e-30,
        "ang^3*": 1e-30, "barrel": _GALLON * 42, "bushel": 2150.42 * _INCH**3,
        "ft3": _FOOT**3, "ft^3": _FOOT**3, "in3": _INCH**3, "in^3": _INCH**3,
        "ly3": 9460730472580800.0**3, "ly^3": 9460730472580800.0**3, "mi3": (_FOOT * 5280) ** 3,
        "mi^3": (_FOOT * 5280) ** 3, "yd3": (_FOOT * 3) ** 3, "yd^3": (_FOOT * 3) ** 3,
        "Nmi3": 1852.0**3, "Nmi^3": 1852.0**3, "Picapt3": (_INCH / 72) ** 3,
        "Picapt^3": (_INCH / 72) ** 3, "Pica3": (_INCH / 72) ** 3, "Pica^3": (_INCH / 72) ** 3,
        "GRT": 100 * _FOOT**3, "regton": 100 * _FOOT**3, "MTON": 40 * _FOOT**3,
    },
    "area": {
        "m2*": 1, "m^2*": 1, "uk_acre": 43560 * _FOOT**2, "us_acre": _SURVEY_MILE**2 / 640,
        "ang2*": 1e-20, "ang^2*": 1e-20, "ar*": 100, "ft2": _FOOT**2, "ft^2": _FOOT**2,
        "ha": 10000, "in2": _INCH**2, "in^2": _INCH**2, "ly2": 9460730472580800.0**2,
        "ly^2": 9460730472580800.0**2, "mi2": (_FOOT * 5280) ** 2, "mi^2": (_FOOT * 5280) ** 2,
        "Morgen": 2500, "Nmi2": 1852.0**2, "Nmi^2": 1852.0**2, "Picapt2": (_INCH / 72) ** 2,
        "Pica2": (_INCH / 72) ** 2, "Pica^2": (_INCH / 72) ** 2, "Picapt^2": (_INCH / 72) ** 2,
        "yd2": (_FOOT * 3) ** 2, "yd^2": (_FOOT * 3) ** 2,
    },
    "information": {"bit*": 1, "byte*": 8},
    "speed": {
        "m/s*": 1, "m/sec*": 1, "m/h*": 1 / 3600, "m/hr*": 1 / 3600, "mph*": _FOOT * 5280 / 3600,
        "kn": 1852 / 3600, "admkn": _FOOT * 6080 / 3600,
    },
}  # fmt: skip
_PREFIXES = {
    "Y": 1e24, "Z": 1e21, "E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2,
    "e": 1e1, "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12,
    "f": 1e-15, "a": 1e-18, "z": 1e-21, "y": 1e-24,
}  # fmt: skip
_BINARY = {f"{letter}i": 2.0 ** (10 * power) for power, letter in enumerate("kMGTPEZY", 1)}
#: Degrees: how many kelvin one is, and what it shows at 0 K.
_DEGREES = {
    "C": (1.0, -273.15), "cel": (1.0, -273.15), "F": (5 / 9, -459.67), "fah": (5 / 9, -459.67),
    "K": (1.0, 0.0), "kel": (1.0, 0.0), "Rank": (5 / 9, 0.0), "Reau": (1.25, -218.52),
}  # fmt: skip
_KELVIN = ("K", "kel")
_SQUARED, _CUBED = "2", "3"


def convert(number: float, given: str, wanted: str) -> float:
    """Return a number of one unit in another."""
    degrees, other_degrees = _degrees(given), _degrees(wanted)
    if degrees is not None and other_degrees is not None:
        (degree, zero), (other, other_zero) = degrees, other_degrees
        return number if given == wanted else (number - zero) * degree / other + other_zero
    for sizes in _SIZES.values():
        size, other_size = _size(given, sizes), _size(wanted, sizes)
        if size is not None and other_size is not None:
            return number * (size / other_size)
    raise Refusal("#N/A", f"{given!r} and {wanted!r} are no units of one measure")


def _degrees(unit: str) -> tuple[float, float] | None:
    """Return how many kelvin a degree is, and what it shows at 0 K; kelvin take prefixes."""
    if unit in _DEGREES:
        return _DEGREES[unit]
    for prefix, factor in _PREFIXES.items():
        if unit.startswith(prefix) and unit[len(prefix) :] in _KELVIN:
            return factor, 0.0
    return None


def _size(unit: str, sizes: dict[str, float]) -> float | None:
    if unit in sizes or f"{unit}*" in sizes:
        return float(sizes.get(unit, sizes.get(f"{unit}*", 0.0)))
    binary = _BINARY if "bit*" in sizes else {}
    for prefix, factor in (*binary.items(), *_PREFIXES.items()):
        bare = unit[len(prefix) :]
        if unit.startswith(prefix) and f"{bare}*" in sizes:
            # A prefix of a square or a cube is squared or cubed with it.
            power = 2 if bare.endswith(_SQUARED) else 3 if bare.endswith(_CUBED) else 1
            return float(factor**power * sizes[f"{bare}*"])
    return None
