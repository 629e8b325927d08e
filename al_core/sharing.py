"""Several people at one query: who is asked which image. Pure decisions; `al_core.store.seats` keeps them.

Everybody holds half of an equal part of what is open, so that parts shrink towards the end and nobody waits
long for the slowest (guided self-scheduling: Polychronopoulos and Kuck, 1987).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from al_core.config import ExperimentConfig
from al_core.records import Query
from al_core.seeds import generator

FEWEST: Final = 4
MOST: Final = 24


def part_size(num_open: int, people: int) -> int:
    """How many images one person holds at once."""
    return min(MOST, max(FEWEST, math.ceil(num_open / (2 * people))))


def first_answers(
    me: str, others: Sequence[str], open_ids: Sequence[int], held: Mapping[str, Collection[int]]
) -> dict[str, list[int]]:
    """Who holds which open images from now on, in picking order; others are present, the first comer first.

    One who holds none was alone with the whole query until now, and is at its beginning: they are served
    before `me`, who takes more when half of a part is left. Nobody loses an image to another, but for this:
    who would have nothing to do gets what others hold beyond a part, which they would come to last.
    """
    size = part_size(len(open_ids), len(others) + 1)
    holder = {i: who for who in (*others, me) for i in held.get(who, ())}
    still: dict[str, list[int]] = {who: [] for who in (*others, me)}
    free: list[int] = []
    for i in open_ids:
        (still[holder[i]] if i in holder else free).append(i)
    places = {i: place for place, i in enumerate(open_ids)}
    for who, mine in still.items():
        wants = size - len(mine)
        if wants >= (size / 2 if who == me else size):
            given, free = free[:wants], free[wants:]
            mine.extend(given)
            mine.sort(key=places.__getitem__)
    if not still[me]:
        for who in sorted(others, key=lambda who: -len(still[who])):
            more = still[who][max(size, len(still[who]) - size + len(still[me])) :]
            still[who] = still[who][: len(still[who]) - len(more)]
            still[me] = sorted((*still[me], *more), key=places.__getitem__)
    return still


def second_answers(
    me: str, wanting: Sequence[int], held: Mapping[str, Collection[int]], room: int | None
) -> list[int]:
    """Images that `me` gives a second answer to, at most `room` of them; what another holds is theirs."""
    others = {i for who, ids in held.items() if who != me for i in ids}
    mine = [i for i in wanting if i in held.get(me, ())]
    more = [i for i in wanting if i not in others and i not in mine]
    return [*mine, *more][: max(room, len(mine))] if room is not None else [*mine, *more]


def overlap_ids(config: ExperimentConfig, query: Query) -> frozenset[int]:
    """The images of a query that two people are asked: a share drawn at random, whatever the strategy."""
    count = round(config.query.overlap * len(query.items))
    if not count:
        return frozenset()
    order = generator(config.seed, "overlap", query.round).permutation(len(query.items))
    return frozenset(query.items[place].sample_id for place in order[:count].tolist())
