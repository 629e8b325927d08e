"""What makes a comparison less than it looks: other hardware or versions, much validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from al_core.config import DataConfig
from al_core.records import RoundRecord

_WORDS: Final = {
    "device": "the device", "precision": "the precision", "threads": "the threads", "torch": "torch",
    "numpy": "numpy", "askwell": "this program's version",
}  # fmt: skip


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
    listed = ", ".join(apart[:-1]) + (" and " if len(apart) > 1 else "") + apart[-1]
    return (
        f"The runs differ in {listed}. Hardware and kernels alone move accuracies, by as much as strategies "
        "differ (Ji et al., 2023): repeat them on one machine before you believe a small difference."
    )


def much_validation(data: DataConfig, num_train: int, rounds: Sequence[RoundRecord]) -> str | None:
    """Whether more images are held for validation than are labeled: labels that nobody counts."""
    held = round(data.epoch_validation * num_train) + round(data.round_validation * num_train)
    first = min((r.num_labeled for r in rounds), default=0)
    last = max((r.num_labeled for r in rounds), default=0)
    if not rounds or held <= first:
        return None
    until = "all labels to the end" if held > last else f"the labels until there are {held:,}"
    return (
        f"{held:,} validation images, with their labels, are more than {until} ({first:,} to {last:,}). Who "
        "labels by hand has none of them (Munjal et al., 2022): take smaller shares, or count them."
    )
