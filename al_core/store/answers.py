"""Answers and marks on their way into the label log: what may be written of one."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

from al_core.errors import StoreError
from al_core.records import LabelOp, Mark
from al_core.store.columns import to_json
from al_core.types import EXCLUDE, SKIP, UNLABEL
from al_core.words import tr

MARKS = tuple(mark.value for mark in Mark)
MAX_DETAIL = 16_000  # letters


def checked(ops: Sequence[LabelOp]) -> list[LabelOp]:
    """The answers as plain integers.

    Raises:
        StoreError: a number is out of range, or the answers are not in the order of their numbers.
    """
    found, last = [], 0
    for op in ops:
        n = _integer(op, "n", 1, 2**53)
        if n <= last:
            raise StoreError(
                tr(
                    "label {n} comes after label {last}; answers are sent in the order of their numbers",
                    n=n,
                    last=last,
                )
            )
        low, high = (UNLABEL, 2**31) if op.mark in (None, Mark.OPINION) else (0, 2)
        value = _integer(op, "value", low, high)
        if value < 0 and value not in (SKIP, EXCLUDE, UNLABEL):
            raise StoreError(
                tr(
                    "label {n}: value {value} is neither a class nor skip, exclude or unlabel",
                    n=n,
                    value=value,
                )
            )
        spent = None if op.milliseconds is None else _integer(op, "milliseconds", 0, 2**53)
        sample_id = _integer(op, "sample_id", 0, 2**63)
        if op.mark is not None and op.mark not in MARKS:
            raise StoreError(
                tr(
                    "label {n}: {mark!r} is no mark; there are {marks}",
                    n=n,
                    mark=op.mark,
                    marks=", ".join(MARKS),
                )
            )
        if op.detail is not None and len(to_json(op.detail)) > MAX_DETAIL:
            raise StoreError(
                tr(
                    "label {n}: what is said of it is longer than {most} letters; shorten it",
                    n=n,
                    most=MAX_DETAIL,
                )
            )
        if len(op.annotator or "") > 200:
            raise StoreError(tr("label {n}: a name of at most 200 letters is needed", n=n))
        asked = None if op.round is None else _integer(op, "round", -1, 2**31)
        found.append(replace(op, n=n, sample_id=sample_id, value=value, milliseconds=spent, round=asked))
        last = n
    return found


def _integer(op: LabelOp, name: str, low: int, high: int) -> int:
    value = getattr(op, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number < high:
        raise StoreError(
            tr(
                "label {n!r}: {name} {value!r} is refused; it is a whole number from {low} on",
                n=op.n,
                name=name,
                value=value,
                low=low,
            )
        )
    return number
