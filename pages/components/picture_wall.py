"""A wall of pictures by signed address, with their classes."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.components.v2 import component

from al_core.data.dataset import Dataset
from al_core.types import UNKNOWN
from al_core.words import tr
from state.web.assets import script, style
from state.web.images import image_url

_wall = component(
    "askwell_picture_wall",
    html='<div class="host" role="group"></div>',
    css=style("picture_wall"),
    js=script("picture_wall"),
)
_WIDTH = 160


def picture_wall(
    dataset: Dataset,
    ids: Sequence[int],
    *,
    key: str,
    cell: int = 76,
    captions: bool = True,
    one_row: bool = False,
    words: Sequence[str] | None = None,
    few: bool = False,
    width: int = _WIDTH,
) -> None:
    """Draw pictures of the train split, `cell` pixels wide at least (with `few`: exactly).

    `words` are shown in place of the pictures' classes. `width` is what photos are sent at.
    """
    labels = dataset.train.labels
    names = [tr("not known") if labels[i] == UNKNOWN else dataset.classes[labels[i]] for i in ids]
    items = [
        {
            "src": image_url(dataset.key, "train", int(i), None if dataset.pixelated else width),
            "caption": caption,
        }
        for i, caption in zip(ids, names if words is None else words, strict=True)
    ]
    look = {
        "cell": cell, "captions": captions, "pixelated": dataset.pixelated, "oneRow": one_row, "few": few,
    }  # fmt: skip
    _wall(data={"items": items, **look}, key=key)
