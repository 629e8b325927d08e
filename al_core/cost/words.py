"""Predicted figures as people read them: two digits, since more would promise too much."""

from __future__ import annotations

from al_core.cost.prediction import Cost, Sizes


def short_seconds(seconds: float) -> str:
    """0.04 s, 3.1 s, 2 min 10 s, 3 h 20 min."""
    if seconds < 0.01:
        return "0 s" if seconds <= 0 else "< 0.01 s"
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def megabytes(number: int) -> str:
    """4 MB, 2.5 GB."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(1, round(number / 1e6))} MB"


def cost_words(cost: Cost, sizes: Sizes, *, factor: float = 1.0, rounds: int = 0) -> str:
    """A prediction in one line, with what real rounds said about the last ones."""
    words = f"about {short_seconds(cost.seconds * factor)} and {megabytes(cost.memory)}"
    words += f" for {candidates_words(sizes.n, sizes.pool)}"
    if cost.once * factor > 1:
        words += f", and {short_seconds(cost.once * factor)} once for features that are kept"
    if rounds:
        words += f" (corrected by {rounds} real round{'s' if rounds > 1 else ''})"
    return words


def candidates_words(scored: int, pool: int) -> str:
    """How many candidates were scored, of how many."""
    if scored >= pool:
        return f"{scored:,} candidates"
    return f"{scored:,} of {pool:,} candidates (candidate cap)"
