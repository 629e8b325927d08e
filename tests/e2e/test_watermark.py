"""The id watermark on the page: the picture on a tile is the sample whose label its key saves."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.records import JobState, Query, QueryItem, query_hash
from al_core.types import INITIAL_ROUND
from tests.al_core.worker.conftest import CLASSES, number_in, watermark

pytestmark = pytest.mark.e2e


@pytest.fixture
def marked(home):
    """An experiment that asks for 12 of 60 images that spell their own number."""
    root = home.settings.home / "marked"
    for number in range(60):
        folder = root / "train" / CLASSES[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(watermark(number, number % 3)).save(folder / f"{number:04d}.png")
    data = DataConfig(dataset=f"folder:{root}", test_fraction=0.2)
    dataset = prepare(home.settings, data)
    config = ExperimentConfig().changed(name="marked", data=data.model_dump())
    record = home.store.create_experiment(config)
    home.store.submit_job("advance", experiment_id=record.id)
    _, lease = home.store.claim_job("e2e")
    home.store.update_experiment(
        record.id, lease=lease, dataset_key=dataset.key, fingerprint=dataset.fingerprint
    )
    ids = np.random.default_rng(3).permutation(len(dataset.train))[:12]
    items = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids))
    query = Query(record.id, INITIAL_ROUND, "random", items, 48, query_hash(ids), time.time())
    home.store.put_query(lease, query)
    home.store.end_job(lease, JobState.DONE)
    return record, dataset


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
