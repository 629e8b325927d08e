"""Predicted figures as people read them: two digits, since more would promise too much."""

from __future__ import annotations

from al_core.cost.prediction import Cost, Sizes
from al_core.words import tr, tr_n


def short_seconds(seconds: float) -> str:
    """0.04 s, 3.1 s, 2 min 10 s, 3 h 20 min."""
    if seconds < 0.01:
        return tr("0 s") if seconds <= 0 else tr("< 0.01 s")
    if seconds < 10:
        return tr("{seconds:.2g} s", seconds=seconds)
    whole = round(seconds)
    if whole < 60:
        return tr("{seconds} s", seconds=whole)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        if minutes < 10 and rest:
            return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
        return tr("{minutes} min", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    return (
        tr("{hours} h {minutes} min", hours=hours, minutes=minutes)
        if minutes
        else tr("{hours} h", hours=hours)
    )


def megabytes(number: int) -> str:
    """4 MB, 2.5 GB."""
    if number >= 1e9:
        return tr("{size:.1f} GB", size=number / 1e9)
    return tr("{size} MB", size=max(1, round(number / 1e6)))


def cost_words(cost: Cost, sizes: Sizes, *, factor: float = 1.0, rounds: int = 0) -> str:
    """A prediction in one line, with what real rounds said about the last ones."""
    values = {
        "time": short_seconds(cost.seconds * factor),
        "memory": megabytes(cost.memory),
        "candidates": candidates_words(sizes.n, sizes.pool),
    }
    if cost.once * factor > 1:
        words = tr(
            "about {time} and {memory} for {candidates}, and {once} once for features that are kept",
            once=short_seconds(cost.once * factor),
            **values,
        )
    else:
        words = tr("about {time} and {memory} for {candidates}", **values)
    if not rounds:
        return words
    return tr_n(
        "{cost} (corrected by {n} real round)", "{cost} (corrected by {n} real rounds)", rounds, cost=words
    )


def candidates_words(scored: int, pool: int) -> str:
    """How many candidates were scored, of how many."""
    if scored >= pool:
        return tr_n("{n:,} candidates", "{n:,} candidates", scored)
    return tr_n(
        "{n:,} of {pool:,} candidates (candidate cap)",
        "{n:,} of {pool:,} candidates (candidate cap)",
        scored,
        pool=pool,
    )
