"""Every draw of an experiment, by (seed, purpose, round): nothing is stored, nothing advances.

A draw depends on what it is for and not on what was drawn before it. So changing the strategy moves neither
the initial set, nor the splits, nor the training; a resumed round draws what the interrupted one would have
drawn; and comparisons are paired.
"""

from __future__ import annotations

import hashlib

import numpy as np


def _sequence(seed: int, purpose: str, *numbers: int) -> np.random.SeedSequence:
    digest = hashlib.sha256(purpose.encode()).digest()
    # INITIAL_ROUND is -1 and entropy words are unsigned
    words = [seed, int.from_bytes(digest[:8], "little"), *(n + 1 for n in numbers)]
    return np.random.SeedSequence(words)


def generator(seed: int, purpose: str, round: int = 0, *more: int) -> np.random.Generator:
    """A fresh generator for one purpose in one round ("query", "initial", "split", ...)."""
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose, round, *more)))


def seed_for(seed: int, purpose: str, round: int = 0, *more: int) -> int:
    """A 63-bit seed for a generator of another library (torch)."""
    return int(_sequence(seed, purpose, round, *more).generate_state(1, np.uint64)[0] >> np.uint64(1))
