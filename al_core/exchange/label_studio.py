"""Label Studio's JSON export: tasks with an image and annotations of the type choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from al_core.exchange.content import Content, Refused, Row, Several, agreed, row_of
from al_core.exchange.tables import OURS, collect, declared
from al_core.words import kept, noted


def is_label_studio(value: Any) -> bool:
    """Whether a JSON value is laid out as Label Studio's export is."""
    return isinstance(value, list) and any(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in value[:50]
    )


def from_label_studio(value: list[Any], several: Several) -> Content:
    """Each task's image with its choice; `several` decides where annotators or choices differ."""
    metas = (task.get("meta") for task in value[:1] if isinstance(task, dict))
    facts = next((meta for meta in metas if isinstance(meta, dict)), {})
    classes, fingerprint = declared(facts.get(OURS))
    rows, refused = collect(_rows(value, several))
    return Content("label-studio", rows, refused, classes, fingerprint)


def _rows(tasks: list[Any], several: Several) -> Iterator[Row | Refused]:
    for number, task in enumerate(tasks, start=1):
        place = kept("task {n}", n=number)
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            yield Refused(place, str(task)[:200], noted("it has no data"))
            continue
        fields = _fields(task["data"])
        annotations = task.get("annotations", task.get("completions"))
        given: list[tuple[str, float]] = []
        skipped = False
        for annotation in annotations if isinstance(annotations, list) else []:
            if not isinstance(annotation, dict):
                continue
            if annotation.get("was_cancelled"):
                skipped = True
            given += [(choice, 1.0) for choice in _choices(annotation.get("result"))]
        if given:
            label, reason = agreed(given, several)
            if label is None:
                yield Refused(place, str(fields.get("file", ""))[:200], reason)
                continue
            fields |= {"label": label, "answer": "labeled"}
        elif skipped and "answer" not in fields:
            fields["answer"] = "skipped"
        yield row_of(place, fields)


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Our own columns as they are; of others' the first value that looks like a picture's address."""
    own = data.get(OURS)
    if isinstance(own, dict):
        return dict(own)
    found: dict[str, Any] = {}
    named = [data.get("image"), *(value for key, value in data.items() if key != "image")]
    address = next((value for value in named if isinstance(value, str) and _is_address(value)), None)
    if address is not None:
        found["file"] = path_of(address)
    if "sample_id" in data:
        found["sample_id"] = data["sample_id"]
    return found


def _is_address(text: str) -> bool:
    path = path_of(text).lower()
    return path.endswith((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"))


def path_of(address: str) -> str:
    """The file that an address of Label Studio names: uploaded, in local storage, or anywhere."""
    if "?d=" in address:
        return unquote(address.partition("?d=")[2])
    scheme, _, rest = address.partition("://")
    path = rest.partition("/")[2] if rest and "/" not in scheme else address
    return unquote(path.partition("?")[0]) if rest or "%" in path else path


def _choices(result: Any) -> list[str]:
    found: list[str] = []
    for item in result if isinstance(result, list) else []:
        value = item.get("value") if isinstance(item, dict) else None
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            found += [choice for choice in value["choices"] if isinstance(choice, str)]
    return found
