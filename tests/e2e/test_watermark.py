"""The id watermark on the page: the picture on a tile is the sample whose label its key saves."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.al_core.worker.conftest import number_in

pytestmark = pytest.mark.e2e


def test_the_picture_on_a_tile_is_the_sample_that_its_key_labels(page, server, home, marked):
    record, dataset = marked
    page.goto(f"{server.url}/label?exp={record.id}")
    page.locator(".askwell .tile").first.wait_for()
    pictures = page.locator(".askwell .tile img")
    shown = []
    for place in range(pictures.count()):
        answer = page.request.get(server.url + pictures.nth(place).get_attribute("src"))
        assert answer.ok
        shown.append(number_in(np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))))
    assert len(shown) == 12
    for number in shown:  # the person answers what they see
        page.keyboard.press(str(number % 3 + 1))
    page.get_by_text("All saved", exact=True).wait_for()
    events = home.store.label_events(record.id)
    assert len(events) == 12
    for number, event in zip(shown, events, strict=True):
        assert dataset.train.file_name(event.sample_id).endswith(f"{number:04d}.png")
        assert event.value == number % 3 == dataset.train.labels[event.sample_id]
