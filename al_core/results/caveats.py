"""What makes a comparison less than it looks: other hardware or versions, much validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from al_core.config import DataConfig
from al_core.records import RoundRecord
from al_core.words import kept, noted

_WORDS: Final = {
    "device": noted("the device"),
    "precision": noted("the precision"),
    "threads": noted("the threads"),
    "torch": "torch",
    "numpy": "numpy",
    "askwell": noted("this program's version"),
}


def different_machines(rounds: Iterable[RoundRecord]) -> str | None:
    """In what the machines and versions of these rounds differ; None where they are one."""
    values: dict[str, dict[str, None]] = {key: {} for key in _WORDS}
    for record in rounds:
        manifest: Mapping[str, Any] = record.manifest
        for key, seen in values.items():
            if key in manifest:
                seen[str(manifest[key])] = None
    apart = [f"{_WORDS[key]} ({'; '.join(seen)})" for key, seen in values.items() if len(seen) > 1]
    if not apart:
        return None
    first, last = ", ".join(apart[:-1]), apart[-1]
    return kept(
        "The runs differ in {listed}. Hardware and kernels alone move accuracies, by as much as strategies "
        "differ (Ji et al., 2023): repeat them on one machine before you believe a small difference.",
        listed=kept("{first} and {last}", first=first, last=last) if first else last,
    )


def much_validation(data: DataConfig, num_train: int, rounds: Sequence[RoundRecord]) -> str | None:
    """Whether more images are held for validation than are labeled: labels that nobody counts."""
    held = round(data.epoch_validation * num_train) + round(data.round_validation * num_train)
    first = min((r.num_labeled for r in rounds), default=0)
    last = max((r.num_labeled for r in rounds), default=0)
    if not rounds or held <= first:
        return None
    if held > last:
        text = noted(
            "{held:,} validation images, with their labels, are more than all labels to the end ({first:,} "
            "to {last:,}). Who labels by hand has none of them (Munjal et al., 2022): take smaller shares, "
            "or count them."
        )
    else:
        text = noted(
            "{held:,} validation images, with their labels, are more than the labels until there are "
            "{held:,} ({first:,} to {last:,}). Who labels by hand has none of them (Munjal et al., 2022): "
            "take smaller shares, or count them."
        )
    return kept(text, held=held, first=first, last=last)
