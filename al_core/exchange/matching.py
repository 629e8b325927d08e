"""Which image of a data set a row of a file means: by sample id, by name, or by the end of a path."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from al_core.data.dataset import Split
from al_core.data.names import display
from al_core.exchange.content import Row, nfc
from al_core.results.export import safe_name
from al_core.words import kept, noted

_UPLOADED: Final = re.compile(r"[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload
_EXPORTED: Final = re.compile(r"([0-9]{6,})-")  # what our class folders put before it
_SEVERAL: Final = -1


class Names:
    """The names of a split, found again; made once an import."""

    def __init__(self, split: Split) -> None:
        self._split = split

    @cached_property
    def _whole(self) -> dict[str, int]:
        return {display(name): i for i, name in enumerate(self._split.names)}

    @cached_property
    def _composed(self) -> dict[str, int]:
        """Ids by a name in composed form; _SEVERAL where two names differ in that only."""
        found: dict[str, int] = {}
        for name, i in self._whole.items():
            found[nfc(name)] = _SEVERAL if nfc(name) in found else i
        return found

    @cached_property
    def _last(self) -> dict[str, int]:
        """Ids by the last part of a name; _SEVERAL where images share it."""
        found: dict[str, int] = {}
        for name, i in self._whole.items():
            last = nfc(name).rpartition("/")[2]
            found[last] = i if last not in found else _SEVERAL
        return found

    def find(self, row: Row) -> int | str:
        """The sample id, or the reason why there is none."""
        if row.sample_id is not None:
            return self._by_id(row.sample_id, row.file)
        if row.file is None:
            return noted("it names no image: neither sample_id nor file")
        return self._by_name(row.file)

    def _by_id(self, sample_id: int, file: str | None) -> int | str:
        if sample_id >= len(self._split):
            return kept(
                "there is no sample {sample_id} in the train split (0 to {last})",
                sample_id=sample_id,
                last=len(self._split) - 1,
            )
        if file is None:
            return sample_id
        own = nfc(self._split.file_name(sample_id))
        given = nfc(display(file))
        if given == own or given.rpartition("/")[2] == own.rpartition("/")[2]:
            return sample_id
        return kept(
            "sample {sample_id} is {own!r} here: the file is of another data set",
            sample_id=sample_id,
            own=own[:100],
        )

    def _by_name(self, file: str) -> int | str:
        exact = self._whole.get(display(file))
        if exact is not None:
            return exact
        given = nfc(display(file))
        path = given.removeprefix("./").lstrip("/")
        while path:
            if self._composed.get(path, _SEVERAL) != _SEVERAL:
                return self._composed[path]
            path = path.partition("/")[2]
        last = PurePosixPath(given).name
        for name in (last, _UPLOADED.sub("", last, count=1)):
            place = self._last.get(name)
            if place == _SEVERAL:
                return kept(
                    "several images are called {name!r}; name them with their folders", name=name[:100]
                )
            if place is not None:
                return place
        return self._by_exported(last)

    def _by_exported(self, last: str) -> int | str:
        """Our own class folders name a file by its sample id and a harmless form of its name."""
        found = _EXPORTED.match(last)
        if found and int(found[1]) < len(self._split):
            own = PurePosixPath(self._split.file_name(int(found[1])))
            if PurePosixPath(last).stem == f"{int(found[1]):06d}-{safe_name(own.stem)}":
                return int(found[1])
        return noted("no image of this session has this name")
