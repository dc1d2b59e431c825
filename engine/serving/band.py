"""How far an estimate may be off: the band of the cost, which widens with distance from the data.

The logarithm of measured over estimated cost, on configurations that the fit had not seen, is
divided by a width that depends on the load; its quantiles times the width make the band where
there are data. Beyond them, a standard deviation for each distance is added in quadrature::

    ln ratio(p) = q(p)·width,  q from the errors
    band(p) = ± √((q(p)·width)² + (1.2816·distance)²), the sign that of q(p)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.elementwise import Number
from engine.serving.case import Case
from engine.serving.constants import BAND, calibration
from engine.serving.held import Load

#: What the width depends on, with a power of e for each.
FEATURES = ("constant", "moe", "ranks", "load", "sglang")
#: Standard deviations from a 10th to a 50th percentile of a normal distribution.
_TAIL = 1.2816
#: Requests on a rank where runs are most alike, as a power of 2.
_USUAL_LOAD = 4.0
#: Requests on a GPU and tokens of a request up to which there are rows, as powers of 2.
_MOST_LOAD, _MOST_TOKENS = 9.0, 13.5
#: What each doubling beyond adds to the standard deviation of the logarithm; our assumption.
_BEYOND = 0.1


def features(case: Case, load: Load) -> tuple[Number, ...]:
    """Return what the width depends on, in the order of `FEATURES`."""
    requests = _log2(np.maximum(load.concurrency / load.data_parallel, 1.0))
    mixture = np.minimum(case.experts, 1.0)
    return (
        1.0,
        mixture,
        # Data-parallel copies of a dense model know nothing of each other.
        np.minimum(load.data_parallel - 1.0, 1.0) * mixture,
        np.minimum(np.maximum(requests - _USUAL_LOAD, _USUAL_LOAD - requests), 4.0),
        case.sglang * (1.0 - case.any_backend),
    )


def width(case: Case, load: Load, weights: Mapping[str, float], any_factor: float) -> Number:
    """Return the width of the band where there are data: a scale of the logarithm [-]."""
    power: Number = 0.0
    for name, feature in zip(FEATURES, features(case, load), strict=True):
        power = power + weights[name] * feature
    scale: Number = np.exp(power) * (1.0 + (any_factor - 1.0) * case.any_backend)
    return scale


def distance(case: Case, load: Load) -> Number:
    """Return the standard deviation of the logarithm that no data take away [-].

    That of the case (maker, accelerator, model, formats without rows) and of what lies beyond
    the measured loads, added in quadrature.
    """
    gpus = load.tensor_parallel * load.data_parallel
    requests = np.maximum(_log2(load.concurrency / gpus) - _MOST_LOAD, 0.0)
    copies = np.where(case.experts > 0, load.data_parallel, 1.0)
    tokens = _log2(load.input_tokens + load.output_tokens)
    nodes = np.maximum(_log2(load.tensor_parallel * copies / 8.0), 0.0)
    beyond = _BEYOND * (requests + np.maximum(tokens - _MOST_TOKENS, 0.0) + nodes)
    result: Number = np.sqrt(case.distance**2 + beyond**2)
    return result


def ratios(case: Case, load: Load) -> tuple[Number, ...]:
    """Return measured over estimated cost at each of the percentiles of `BAND` [-]."""
    held: Mapping[str, Any] = calibration()["band"]
    scale = width(case, load, held["width"], held["any_backend"])
    far = _TAIL * distance(case, load)
    found = []
    for probability in BAND:
        quantile = held["quantiles"][probability]
        near, size = quantile * scale, abs(quantile) * scale
        side = float(np.sign(float(probability) - 0.5))
        found.append(np.exp(near + side * (np.sqrt(size**2 + far**2) - size)))
    return tuple(found)


def _log2(value: Number) -> Number:
    result: Number = np.log(value) / math.log(2.0)
    return result
