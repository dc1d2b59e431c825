"""Inputs as an author lists them, one a line: key, label, values, unit, limits, note, source.

    churn | Customers lost | 0.02 0.015 0.035 | a month | 0 to 1
    gpu_price | GPU-hour price | median low 5.12 | USD/h | | Of sellers | rents

Several values are those of the scenarios, or of whatever else stands side by side. A word among
them that the author has a figure for stands for it. The unit says how the input is shown;
``relative, scientific`` does so by name. Limits are `above 0`, `from 1`, `0 to 1`, `0 to below 1`,
before them `whole` where no fraction may be, or a list to choose from: `one of 1,2,4,8`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from workbooks.authoring.parts import Limit, ScenarioInput, Value
from workbooks.authoring.words import lines, unit_and_format

_LIMIT = re.compile(
    r"(?P<whole>whole )?"
    r"(?:above (?P<above>\S+)|from (?P<least>\S+)|(?P<low>\S+) to (?P<below>below )?(?P<high>\S+))"
)
_PARTS = 7
#: How inputs are shown, by their unit, where rows of that unit are shown otherwise.
_FORMATS = {
    "a year": "percent", "a month": "percent", "ratio": "number", "s": "number", "id": "text",
    "": "text", "date": "date", "USD/month": "usd", "USD/h": "price", "USD/kWh": "price",
    "USD/Mtok": "price",
}  # fmt: skip


def listed(
    text: str,
    sources: Mapping[str, str],
    figures: Mapping[str, Value] | None = None,
    choices: Mapping[str, str] | None = None,
) -> Iterator[ScenarioInput]:
    """Give the inputs of a text.

    Parameters
    ----------
    text : str
        The inputs.
    sources : Mapping
        What the words of the last part stand for; "" is the source where none is said.
    figures : Mapping, optional
        What words among the values stand for.
    choices : Mapping, optional
        Where the lists stand that an input may be `one of`.
    """
    for parts in lines(text, {}, labels=_PARTS):
        key, label, values, unit, limit, note, source = (*parts, *("",) * (_PARTS - len(parts)))
        unit, format = unit_and_format(unit, _FORMATS)
        chosen = limit.removeprefix("one of ") if limit.startswith("one of ") else ""
        yield ScenarioInput(
            key, label, tuple(_value(word, figures or {}) for word in values.split()),
            unit, sources[source], note, format,
            (choices or {}).get(chosen, chosen and f'"{chosen}"'),
            None if chosen or not limit else _limit(limit),
        )  # fmt: skip


def _value(word: str, figures: Mapping[str, Value]) -> Value:
    if word in figures:
        return figures[word]
    for number in (int, float):
        try:
            return number(word)
        except ValueError:
            continue
    return word


def _limit(text: str) -> Limit:
    found = _LIMIT.fullmatch(text)
    if not found:
        raise ValueError(f"no limits: {text}")
    low = found["above"] or found["least"] or found["low"]
    return Limit(
        float(low), float(found["high"]) if found["high"] else None,
        low_open=bool(found["above"]), high_open=bool(found["below"]), whole=bool(found["whole"]),
    )  # fmt: skip
