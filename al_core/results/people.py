"""What people said, and how far they agree: ratings, kappas, consistency, and each person's record.

A rating is the class that a person gave an image, without knowing the others' words: a label, or an opinion
beside it. A correction is their last word, but no rating, as a label was in view: agreement with it would say
nothing. A verdict (adjudication) is neither; it is what ratings are held against.

All this takes the log as its classes count (`Effects.said`): a merge is no disagreement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from al_core.records import PEOPLE, LabelSource, LogEvent, Mark
from al_core.results.metrics import wilson_interval
from al_core.results.said import REASK, UNDONE, as_said, author, is_reask, without_undone
from al_core.types import UNLABEL

__all__ = [
    "REASK", "UNDONE", "author", "consistency", "fleiss", "is_reask", "last_words", "pairs", "per_class",
    "quality", "ratings", "settled", "verdicts",
]  # fmt: skip

Ratings = Mapping[int, Mapping[str, LogEvent]]
"""Sample id -> person -> what they said of it; classes only."""


def ratings(log: Iterable[LogEvent]) -> dict[int, dict[str, LogEvent]]:
    """Each person's rating of each image, from a log in any order; the last one counts."""
    return _words(log, corrected=False)


def last_words(log: Iterable[LogEvent]) -> dict[int, dict[str, LogEvent]]:
    """The same with what each person corrected since."""
    return _words(log, corrected=True)


def _words(log: Iterable[LogEvent], *, corrected: bool) -> dict[int, dict[str, LogEvent]]:
    found: dict[int, dict[str, LogEvent]] = {}
    for event in map(as_said, sorted(without_undone(log), key=lambda e: e.id)):
        said = event.mark is None or (event.mark is Mark.OPINION and not is_reask(event))
        if not said or event.source not in PEOPLE or event.source is LabelSource.ADJUDICATION:
            continue
        words = found.setdefault(event.sample_id, {})
        if event.value < 0:  # withdrawn, skipped or excluded: no class of theirs stands
            words.pop(author(event), None)
        elif corrected or event.mark is not None or event.source is not LabelSource.CORRECTION:
            words[author(event)] = event
    return {i: words for i, words in found.items() if words}


def verdicts(log: Iterable[LogEvent]) -> dict[int, LogEvent]:
    """The last adjudication of each image, unless it was taken back."""
    found: dict[int, LogEvent] = {}
    for event in sorted(without_undone(log), key=lambda e: e.id):
        if event.mark is None and event.source is LabelSource.ADJUDICATION:
            if (event.detail or {}).get("how") == UNDONE:
                found.pop(event.sample_id, None)
            else:
                found[event.sample_id] = event
    return found


def pairs(rated: Ratings, num_classes: int) -> pd.DataFrame:
    """One row a pair of people with images in common: one, other, images, agreed, kappa, low, high.

    Cohen's kappa (1960) with its 95 % interval; NaN where chance alone explains all (one class only).
    """
    tables: dict[tuple[str, str], np.ndarray] = {}
    for words in rated.values():
        for one, other in combinations(sorted(words), 2):
            table = tables.setdefault((one, other), np.zeros((num_classes, num_classes)))
            table[words[one].value, words[other].value] += 1
    rows = [(*pair, int(t.sum()), float(np.trace(t) / t.sum()), *_cohen(t)) for pair, t in tables.items()]
    columns = ["one", "other", "images", "agreed", "kappa", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["images", "one", "other"], ascending=[False, True, True], ignore_index=True)


def _cohen(table: np.ndarray) -> tuple[float, float, float]:
    used = table.sum(axis=0) + table.sum(axis=1) > 0
    if used.sum() < 2:
        return np.nan, np.nan, np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Any = cohens_kappa(table[np.ix_(used, used)])
    return float(result.kappa), float(result.kappa_low), min(1.0, float(result.kappa_upp))


def fleiss(rated: Ratings, num_classes: int) -> tuple[float, int, int]:
    """Fleiss' kappa (1971), over how many images, with how many answers each.

    It wants the same number of answers of each image, so the number that most images have is taken (two at
    least). NaN where there are no such images, or all are of one class.
    """
    counts = Counter(len(words) for words in rated.values() if len(words) > 1)
    if not counts:
        return float("nan"), 0, 0
    raters = max(counts, key=lambda n: (counts[n] * n, n))
    table = np.zeros((counts[raters], num_classes))
    for row, words in enumerate(words for words in rated.values() if len(words) == raters):
        for event in words.values():
            table[row, event.value] += 1
    if (table.sum(axis=0) > 0).sum() < 2:
        return float("nan"), counts[raters], raters
    return float(fleiss_kappa(table)), counts[raters], raters


def per_class(rated: Ratings, num_classes: int) -> pd.DataFrame:
    """One row a class that anybody named of an image with two answers: class_id, images, both, agreed, kappa.

    `agreed` is the agreement on that class (Cicchetti and Feinstein, 1990): of the times that one of a pair
    named it, how often the other did. `kappa` is Cohen's, this class against the rest, over all pairs.
    """
    named = np.zeros(num_classes, np.int64)
    both, total = np.zeros(num_classes), 0
    one_of = np.zeros(num_classes)
    for words in rated.values():
        if len(words) < 2:
            continue
        for class_id in {event.value for event in words.values()}:
            named[class_id] += 1
        for one, other in combinations(words.values(), 2):
            total += 1
            for value in (one.value, other.value):
                one_of[value] += 1
            if one.value == other.value:
                both[one.value] += 1
    rows = []
    for class_id in np.flatnonzero(named):
        a, off = both[class_id], (one_of[class_id] - 2 * both[class_id]) / 2
        kappa, _, _ = _cohen(np.array([[a, off], [off, total - a - 2 * off]]))
        rows.append((int(class_id), int(named[class_id]), 2 * a / one_of[class_id], kappa))
    frame = pd.DataFrame(rows, columns=["class_id", "images", "agreed", "kappa"])
    return frame.sort_values(["agreed", "class_id"], ignore_index=True)


def consistency(log: Sequence[LogEvent]) -> pd.DataFrame:
    """One row a person who was asked again: person, images, same, share, low, high (Wilson's 95 %)."""
    first: dict[tuple[str, int], int] = {}
    again: dict[tuple[str, int], bool] = {}
    for event in map(as_said, sorted(without_undone(log), key=lambda e: e.id)):
        key = (author(event), event.sample_id)
        if is_reask(event):
            if event.value == UNLABEL:
                again.pop(key, None)
            elif key in first:
                again[key] = first[key] == event.value
        elif event.mark is None and event.source in (LabelSource.HUMAN, LabelSource.CORRECTION):
            first[key] = event.value
    rows = []
    for person in sorted({who for who, _ in again}):
        same = [right for (who, _), right in again.items() if who == person]
        rows.append((person, len(same), sum(same), np.mean(same), *wilson_interval(sum(same), len(same))))
    return pd.DataFrame(rows, columns=["person", "images", "same", "share", "low", "high"])


def settled(rated: Ratings, decided: Mapping[int, LogEvent]) -> dict[int, int]:
    """The class of each image on which there is a verdict, or else a majority of two answers or more."""
    found = {i: event.value for i, event in decided.items() if event.value >= 0}
    for i, words in rated.items():
        if i in decided or len(words) < 2:
            continue
        (value, most), *rest = Counter(event.value for event in words.values()).most_common(2)
        if not rest or most > rest[0][1]:
            found[i] = value
    return found


def quality(log: Sequence[LogEvent], paces: Mapping[str, int | None] | None = None) -> pd.DataFrame:
    """One row a person: person, answers, opinions, checked, right, share, low, high, pace.

    `checked` images have a verdict or a majority; `right` is how often the person said the same, with
    Wilson's 95 % interval. A majority counts its own members, so it flatters where few answer.
    """
    rated, decided = ratings(log), verdicts(log)
    truth = settled(rated, decided)
    answers: Counter[str] = Counter()
    opinions: Counter[str] = Counter()
    for event in map(as_said, without_undone(log)):
        if event.source in PEOPLE and event.value != UNLABEL:
            answers[author(event)] += event.mark is None
            opinions[author(event)] += event.mark is Mark.OPINION
    rows = []
    for person in sorted(answers.keys() | opinions.keys()):
        if not answers[person] and not opinions[person]:
            continue
        judged = [
            words[person].value == truth[i] for i, words in rated.items() if i in truth and person in words
        ]
        share, low, high = np.nan, np.nan, np.nan
        if judged:
            share, (low, high) = float(np.mean(judged)), wilson_interval(sum(judged), len(judged))
        pace = (paces or {}).get(person)
        counts = (answers[person], opinions[person], len(judged), sum(judged))
        rows.append((person, *counts, share, low, high, pace))
    columns = ["person", "answers", "opinions", "checked", "right", "share", "low", "high", "pace"]
    return pd.DataFrame(rows, columns=columns)
