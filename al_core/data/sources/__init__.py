"""Where data sets come from: one decorated function a data set, listed in SOURCES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from al_core.data.material import Material, Request
from al_core.errors import DataError
from al_core.registry import Registry
from al_core.words import noted

Load = Callable[[Request], Material]


@dataclass(frozen=True)
class Source:
    """A data set that can be prepared. Counts are the official ones, None where a folder decides."""

    name: str
    title: str
    load: Load
    aliases: tuple[str, ...] = ()
    description: str = ""
    classes_hint: tuple[str, ...] = ()
    num_train: int | None = None
    num_test: int | None = None
    image_size: int | None = None
    download_megabytes: float | None = None  # None: nothing has to be downloaded
    path: Literal["no", "optional", "required"] = "no"  # whether `name:PATH` is understood
    splits_itself: bool = True  # False: test_fraction matters
    revision: Callable[[Request], str] | None = None  # cheap digest of what can change on disk


SOURCES: Final[Registry[Source]] = Registry(noted("data set"), "al_core.data.sources", DataError)


def source(
    title: str,
    *,
    aliases: tuple[str, ...] = (),
    classes_hint: tuple[str, ...] = (),
    num_train: int | None = None,
    num_test: int | None = None,
    image_size: int | None = None,
    download_megabytes: float | None = None,
    path: Literal["no", "optional", "required"] = "no",
) -> Callable[[Load], Load]:
    """Register a loading function: its name is the data set's, its docstring's first line the description."""

    def register(load: Load) -> Load:
        description = (load.__doc__ or "").strip().partition("\n")[0]
        SOURCES.add(
            Source(
                load.__name__, title, load, aliases, description, classes_hint, num_train, num_test,
                image_size, download_megabytes, path,
            )
        )  # fmt: skip
        return load

    return register
