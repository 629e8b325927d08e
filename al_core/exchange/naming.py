"""Which class of a session a file's name means: one that there is, by this name or another, or a new one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from al_core.classes import MOST_CLASSES, Classes, clean_name
from al_core.errors import ClassError
from al_core.exchange.content import nfc
from al_core.initial import class_number
from al_core.results.export import class_folders
from al_core.words import english, kept


class Naming:
    """Reads names. `mapping` gives names of the file others; `add`: those to become classes, or True for all.

    New classes get the ids that come next, for as long as nothing is written; `new` are their names.
    """

    def __init__(
        self, classes: Classes, mapping: Mapping[str, str] | None = None, add: bool | Collection[str] = ()
    ) -> None:
        self.classes, self._mapping = classes, dict(mapping or {})
        self._add = add if isinstance(add, bool) else frozenset(add)
        self._ids = class_ids(classes.names)
        self._known: dict[str, int | str] = {}
        self.new: dict[str, int] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names by id, those of new classes at the end."""
        return (*self.classes.names, *self.new)

    def read(self, label: str) -> int | str:
        """The class's id, or why there is none."""
        if label not in self._known:
            self._known[label] = self._read(label, self._mapping.get(label, label))
        return self._known[label]

    def _read(self, label: str, name: str) -> int | str:
        number = self._ids.get(name, self._ids.get(nfc(name)))
        if number is None:
            number = class_number(name, self._ids)
        if number is None:
            number = self.classes.find(name)  # in another case, as where a person types it
        if number is not None:
            return number
        if self._add is True or (self._add and label in self._add):
            return self._next(name)
        return kept("{name!r} is no class of this session", name=name[:60])

    def _next(self, name: str) -> int | str:
        try:
            with english():  # the reason is kept in the report
                clean = clean_name(name)
        except ClassError as error:
            return kept("{name!r} can be no class: {error}", name=name[:60], error=error)
        same = next((i for other, i in self.new.items() if other.casefold() == clean.casefold()), None)
        if same is not None:
            return same
        if len(self.names) >= MOST_CLASSES:
            return kept("{name!r} can be no class: {most} are the most", name=name[:60], most=MOST_CLASSES)
        return self.new.setdefault(clean, len(self.names))

    def closed(self, class_id: int) -> str | None:
        """Why nothing is given this class any more, or None."""
        if class_id >= len(self.classes):
            return None
        counted = self.classes.effects.canonical(class_id)
        if counted not in self.classes.effects.retired:
            return None
        name = self.classes.names[counted]
        return kept(
            "the class {name!r} is retired; bring it back (Classes, on the Label page), or map it",
            name=name[:60],
        )


def class_ids(classes: tuple[str, ...]) -> dict[str, int]:
    """Class ids by name, and by the folder that an export of ours gives a class."""
    folders = {name: i for i, name in enumerate(class_folders(classes))}
    return folders | {nfc(name): i for i, name in enumerate(classes)} | {
        name: i for i, name in enumerate(classes)
    }  # fmt: skip
