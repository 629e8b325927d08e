"""One registry for data sets, models and strategies: a decorated file is the registration.

A package's modules are imported on first use, so that dropping in a file is all that is needed.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from al_core.errors import ALError
from al_core.words import tr


class Entry(Protocol):
    """What a registered thing must have to be listed, found and shown."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


def _key(name: str) -> str:
    """Spellings that differ only in case, `-`, `_`, blanks or dots are the same name."""
    return re.sub(r"[\s._-]+", "", name).lower()


T = TypeVar("T", bound=Entry)


class Registry(Generic[T]):
    """Entries of one kind, found by name or alias in any spelling."""

    def __init__(self, kind: str, package: str, error: type[ALError], hint: str = "") -> None:
        self.kind, self._package, self._error, self._hint = kind, package, error, hint
        self._entries: dict[str, T] = {}
        self._names: dict[str, str] = {}
        self._loaded = False

    def add(self, entry: T) -> T:
        """Register an entry.

        Raises:
            ALError: (the registry's own kind) a name or alias is taken already; nothing is registered then.
        """
        names = (entry.name, *entry.aliases)
        for name in names:
            taken = self._names.get(_key(name))
            if taken is not None:
                raise self._error(
                    tr(
                        "{kind} name {name!r} is taken by {taken!r}",
                        kind=tr(self.kind),
                        name=name,
                        taken=taken,
                    )
                )
        self._names |= {_key(name): entry.name for name in names}
        self._entries[entry.name] = entry
        return entry

    def _load(self) -> None:
        if self._loaded:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{self._package}.{module.name}")
        self._loaded = True

    def __iter__(self) -> Iterator[T]:
        self._load()
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def names(self) -> list[str]:
        """Canonical names, sorted."""
        return [entry.name for entry in self]

    def __contains__(self, name: str) -> bool:
        self._load()
        return _key(name) in self._names

    def suggest(self, name: str) -> str:
        """What is allowed, in words: the nearest name if there is one, and all names."""
        self._load()
        near = difflib.get_close_matches(_key(name), list(self._names), n=1, cutoff=0.6)
        names = ", ".join(self.names())
        if near:
            text = tr("did you mean {near!r}? known: {names}", near=self._names[near[0]], names=names)
        else:
            text = tr("known: {names}", names=names)
        return f"{text}; {tr(self._hint)}" if self._hint else text

    def get(self, name: str) -> T:
        """The entry of that name or alias.

        Raises:
            ALError: (the registry's own kind) nothing has that name; the message suggests one.
        """
        self._load()
        found = self._names.get(_key(name))
        if found is None:
            raise self._error(
                tr(
                    "there is no {kind} {name!r}; {known}",
                    kind=tr(self.kind),
                    name=name,
                    known=self.suggest(name),
                )
            )
        return self._entries[found]
