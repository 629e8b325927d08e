"""COCO annotations as labels of whole images: an image has the category that its annotations name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from al_core.errors import DataError
from al_core.exchange.content import Content, Refused, Row, Several, agreed, row_of
from al_core.exchange.tables import OURS, collect, declared
from al_core.words import kept, noted, tr


def is_coco(value: Any) -> bool:
    """Whether a JSON value is laid out as COCO is."""
    return isinstance(value, dict) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations", "categories")
    )


def from_coco(value: Mapping[str, Any], several: Several) -> Content:
    """Images and the categories of their annotations; `several` decides where an image has more than one.

    Raises:
        DataError: the categories cannot be read.
    """
    names = _categories(value["categories"])
    refused: list[Refused] = []
    given = _given(value["annotations"], names, value["images"], refused)
    classes, fingerprint = declared(value.get("info", {}).get(OURS) if _is_map(value.get("info")) else None)
    rows, more = collect(_rows(value["images"], given, several))
    return Content("coco", rows, refused + more, classes or tuple(names.values()), fingerprint)


def _categories(categories: list[Any]) -> dict[Any, str]:
    names: dict[Any, str] = {}
    for number, category in enumerate(categories, start=1):
        if (
            not _is_map(category)
            or not isinstance(category.get("name"), str)
            or not _is_id(category.get("id"))
        ):
            raise DataError(tr("category {number} has no id or no name", number=number))
        if category["id"] in names or category["name"] in names.values():
            raise DataError(
                tr(
                    "category {number} ({name!r}) repeats an id or a name",
                    number=number,
                    name=category["name"],
                )
            )
        names[category["id"]] = category["name"]
    return names


def _given(
    annotations: list[Any], names: Mapping[Any, str], images: list[Any], refused: list[Refused]
) -> dict[Any, list[tuple[str, float]]]:
    """Categories and areas by image id."""
    known = {image["id"] for image in images if _is_map(image) and _is_id(image.get("id"))}
    given: dict[Any, list[tuple[str, float]]] = defaultdict(list)
    for number, annotation in enumerate(annotations, start=1):
        place = kept("annotation {n}", n=number)
        if not _is_map(annotation):
            refused.append(Refused(place, str(annotation)[:200], noted("it is no object")))
            continue
        image, category = annotation.get("image_id"), annotation.get("category_id")
        if not _is_id(image) or image not in known:
            refused.append(Refused(place, str(image)[:200], noted("no image has this id")))
        elif not _is_id(category) or category not in names:
            refused.append(Refused(place, str(category)[:200], noted("no category has this id")))
        else:
            given[image].append((names[category], _area(annotation)))
    return given


def _area(annotation: Mapping[str, Any]) -> float:
    area, box = annotation.get("area"), annotation.get("bbox")
    if isinstance(area, int | float) and area > 0:
        return float(area)
    if isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box):
        return float(box[2] * box[3])
    return 0.0


def _rows(
    images: list[Any], given: Mapping[Any, list[tuple[str, float]]], several: Several
) -> Iterator[Row | Refused]:
    seen: set[Any] = set()
    for number, image in enumerate(images, start=1):
        place = kept("image {n}", n=number)
        if not _is_map(image) or not _is_id(image.get("id")) or not isinstance(image.get("file_name"), str):
            yield Refused(place, str(image)[:200], noted("it has no id or no file_name"))
            continue
        if image["id"] in seen:
            yield Refused(
                place, image["file_name"][:200], kept("the id {id!r} is another image's too", id=image["id"])
            )
            continue
        seen.add(image["id"])
        fields: dict[str, Any] = {"file": image["file_name"]}
        if _is_map(image.get(OURS)):
            fields |= image[OURS]
        label = None
        if image["id"] in given:
            label, reason = agreed(given[image["id"]], several)
            if label is None:
                yield Refused(place, image["file_name"][:200], reason)
                continue
        yield row_of(place, fields if label is None else fields | {"label": label, "answer": "labeled"})


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
