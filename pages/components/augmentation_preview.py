"""What augmentation does to the images of the draft: a row a picture, as it is and as training may see it."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st
from PIL import Image

from al_core.config import ExperimentConfig
from al_core.data.changes import augmented_sheet, words
from al_core.data.images import encode
from al_core.data.prepare import prepared_key
from al_core.errors import DataError
from al_core.words import tr
from state import handles
from state.text import plain


def augmentation_preview(config: ExperimentConfig) -> None:
    """Draw it, folded; nothing where the images are not prepared yet."""
    try:
        key = prepared_key(handles.settings(), config.data)
    except DataError:
        return  # said beside the field
    if key is None:
        return
    shown = st.expander(
        tr("What augmentation does to these images"), icon=":material/auto_fix_high:", key="augmentation",
        on_change="rerun",
    )  # fmt: skip
    if not shown.open:
        return
    with shown:
        on = "" if config.train.augment else " " + tr("It is switched off: training sees the first column.")
        dataset = handles.dataset(key).at(config.data.image_size)
        st.caption(plain(f"{words(dataset.augmentation).capitalize()}.{on}"))
        st.image(
            _sheet(key, config.data.image_size, config.seed), width="content",
            alt=tr("Six images: the first column as they are, the others as training may see them."),
        )  # fmt: skip


@lru_cache(maxsize=8)
def _sheet(key: str, size: int | None, seed: int) -> bytes:
    dataset = handles.dataset(key).at(size)
    return encode(Image.fromarray(augmented_sheet(dataset, seed=seed)), None, lossless=True)[0]
