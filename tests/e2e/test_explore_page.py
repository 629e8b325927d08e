"""The Explore page in a real browser: what a lasso holds is asked next, told by the pictures themselves."""

import io

import numpy as np
import pytest
from conftest import PATIENCE
from PIL import Image
from playwright.sync_api import expect

from al_core.experiment import Experiment
from al_core.results.image_map import ImageMap, MapRequest
from tests.al_core.worker.conftest import number_in

pytestmark = pytest.mark.e2e

PLACES = """([ids]) => {  // where these images are drawn, in pixels of the window
  const graph = document.querySelector(".js-plotly-plot");
  const { xaxis, yaxis } = graph._fullLayout, box = graph.getBoundingClientRect(), found = [];
  for (const trace of graph._fullData) Array.from(trace.customdata).forEach((id, n) => {
    if (ids.includes(Number(id))) found.push([
      box.left + xaxis._offset + xaxis.l2p(trace.x[n]), box.top + yaxis._offset + yaxis.l2p(trace.y[n])]);
  });
  return found;
}"""


@pytest.fixture
def crowd(home, marked):
    """A map on which nine images, that nobody was asked about, lie in a corner of their own."""
    record, dataset = marked
    asked = {item.sample_id for item in home.store.queries(record.id)[0].items}
    free = [i for i in range(len(dataset.train)) if i not in asked]
    chosen = sorted(free[::4][:9])
    count = len(dataset.train)
    rng = np.random.default_rng(0)
    places = rng.uniform(4, 6, (count, 2)).astype(np.float32)
    places[chosen] = rng.uniform((0, 5), (1, 6), (len(chosen), 2))  # what is lower may lie below the rail
    none = np.full(count, np.nan, np.float32)
    unit = places / np.linalg.norm(places, axis=1, keepdims=True)
    ImageMap(
        np.arange(count),
        places,
        unit,
        np.full(count, -1),
        none,
        none,
        np.roll(np.arange(count), 1),
        np.ones(count, np.float32),
        np.ones(count, np.float32),
    ).write(MapRequest(record.id, None).path(Experiment.open(home.store, home.settings, record.id)))
    return record, dataset, chosen


def open_map(page, server, record):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/explore?exp={record.id}")
    page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(600)  # the chart is drawn again once it knows its width


def lasso(page, places, margin=18):
    """Draw a line around these places."""
    left, top = np.min(places, axis=0) - margin
    right, bottom = np.max(places, axis=0) + margin
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def numbers_of(page, images):
    """What the pictures spell, as the browser was sent them."""
    found = []
    for place in range(images.count()):
        answer = page.request.get(images.nth(place).evaluate("image => image.src"))
        assert answer.ok
        found.append(number_in(np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))))
    return found


def test_the_images_that_are_lassoed_are_the_ones_that_are_asked_for(page, server, home, crowd):
    record, dataset, chosen = crowd
    open_map(page, server, record)
    lasso(page, page.evaluate(PLACES, [chosen]))
    page.get_by_text("9 images", exact=True).wait_for()
    wanted = sorted(int(dataset.train.file_name(i).rpartition("/")[2][:4]) for i in chosen)
    wall = page.locator(".st-key-picked-wall img")
    expect(wall).to_have_count(9)
    assert sorted(numbers_of(page, wall)) == wanted, "the wall shows what the lasso holds"
    page.get_by_role("button", name="Query these").click()
    page.get_by_text("9 images stand in front of the initial set").wait_for()
    pending = Experiment.open(home.store, home.settings, record.id).pending()
    assert [item.sample_id for item in pending.items][:9] == chosen

    page.goto(f"{server.url}/label?exp={record.id}")
    page.locator(".askwell .tile").first.wait_for()
    shown = numbers_of(page, page.locator(".askwell .tile img"))
    assert len(shown) == 12 + 9
    assert sorted(shown[:9]) == wanted
    for number in shown[:9]:  # the person answers what they see
        page.keyboard.press(str(number % 3 + 1))
    page.get_by_text("All saved", exact=True).wait_for()
    events = home.store.label_events(record.id)
    assert sorted(event.sample_id for event in events) == chosen
    assert all(event.value == dataset.train.labels[event.sample_id] for event in events)


def test_a_query_by_lasso_can_be_taken_back(page, server, home, crowd):
    record, _, chosen = crowd
    experiment = Experiment.open(home.store, home.settings, record.id)
    before = [item.sample_id for item in experiment.pending().items]
    open_map(page, server, record)
    lasso(page, page.evaluate(PLACES, [chosen]))
    page.get_by_role("button", name="Query these").click()
    page.get_by_text("9 images stand in front of the initial set").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("9 images stand in front of the initial set").wait_for(state="hidden")
    assert [item.sample_id for item in experiment.pending().items] == before
