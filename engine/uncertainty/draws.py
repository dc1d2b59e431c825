"""Draws by blocks: the same ones on every machine, however the work is cut.

Block b of input j comes from the counter-based generator Philox-4x64-10 (Salmon, Moraes, Dror and
Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") with the key (seed, j) and a counter that
begins at b·2^64, so that any block can be drawn alone, on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import DomainError
from engine.uncertainty.correlation import arranged
from engine.uncertainty.distributions import Distribution

Array = NDArray[np.float64]
Sampling = Literal["random", "latin", "sobol"]

#: Draws of a block: stratification and correlation hold within one.
BLOCK = 65_536
#: Seeds that a key of the generator, and a cell, hold to the digit.
LARGEST_SEED = 2**53
SAMPLINGS: tuple[Sampling, ...] = ("random", "latin", "sobol")
# The smallest half of what lies between two draws: no draw is 0, whose quantile may be infinite.
_SMALLEST = 2.0**-54
# The shuffling for correlation has streams of its own.
_SHUFFLE = 2**62


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn: everything that decides the draws, and nothing else.

    Parameters
    ----------
    marginals : Sequence[Distribution]
        The distribution of each input.
    seed : int
        Where the generator starts, 0 to 2^53 [-].
    sampling : str
        "random"; "latin", a Latin hypercube in each block; "sobol", a scrambled Sobol net in
        each block.
    correlation : NDArray, optional
        Rank correlations between the inputs, a valid matrix; see `correlation.checked` [-].
    """

    marginals: Sequence[Distribution]
    seed: int = 0
    sampling: Sampling = "random"
    correlation: Array | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.seed <= LARGEST_SEED and self.seed == int(self.seed)):
            raise DomainError(f"seed is {self.seed}; it must be a whole number, 0 to 2^53")
        if self.sampling not in SAMPLINGS:
            raise DomainError(f"sampling is {self.sampling!r}; it must be {', '.join(SAMPLINGS)}")

    def block(self, number: int, size: int = BLOCK) -> Array:
        """Return one block of draws, a row an input, a column a draw."""
        u = self.probabilities(number, size)
        drawn = [m.quantile(row) for m, row in zip(self.marginals, u, strict=True)]
        return np.array(drawn, dtype=np.float64).reshape(len(drawn), size)

    def probabilities(self, number: int, size: int = BLOCK) -> Array:
        """Return the probabilities behind one block of draws."""
        count = len(self.marginals)
        u: Array
        if self.sampling == "random":
            u = np.array([stream(self.seed, j, number).random(size) for j in range(count)])
        else:
            u = _stratified(self.sampling, count, size, (int(self.seed), number))
        u = np.maximum(u, _SMALLEST).reshape(count, size)
        if self.correlation is None:
            return u
        return arranged(u, self.correlation, stream(self.seed, _SHUFFLE, number))


def stream(seed: int, place: int, block: int) -> np.random.Generator:
    """Return the generator of one block of one input."""
    return np.random.Generator(
        np.random.Philox(
            key=np.array([int(seed), place], dtype=np.uint64),
            counter=np.array([0, block, 0, 0], dtype=np.uint64),
        )
    )


def sizes(draws: int) -> list[int]:
    """Return the sizes of the blocks that make up so many draws.

    One block may have any size; beyond that, draws are rounded up to whole blocks.
    """
    return [draws] if draws <= BLOCK else [BLOCK] * -(-draws // BLOCK)


def _stratified(sampling: Sampling, count: int, size: int, place: tuple[int, int]) -> Array:
    from scipy.stats import qmc  # noqa: PLC0415  (hosts without SciPy draw at random)

    # SciPy starts generators of its own from this one, which only a seed sequence allows.
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(place)))
    if sampling == "latin":
        drawn: Array = qmc.LatinHypercube(d=count, rng=generator).random(size)
    else:
        if size & (size - 1):
            raise DomainError(
                f"{size:,} draws; a Sobol net has a power of 2 (the next is "
                f"{1 << size.bit_length():,}), or whole blocks of {BLOCK:,}"
            )
        drawn = qmc.Sobol(d=count, scramble=True, rng=generator).random(size)
    # Of each draw's interval some point is 1 itself where rounding goes up.
    return np.minimum(np.ascontiguousarray(drawn.T), 1 - 2.0**-53)
