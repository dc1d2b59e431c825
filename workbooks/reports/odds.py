"""How sure a probability is that was counted over draws."""

from __future__ import annotations

import math

_TWO_SIDED = 1.959963984540054


def interval(share: float, draws: int) -> tuple[float, float]:
    """Return between what a probability lies 19 times in 20 (Wilson 1927).

    Unlike share ± 2 errors it has a width where a condition held in none or all of the draws.
    """
    z = _TWO_SIDED**2 / draws
    middle = (share + z / 2) / (1 + z)
    half = math.sqrt(z * share * (1 - share) + z * z / 4) / (1 + z)
    return max(middle - half, 0.0), min(middle + half, 1.0)
