"""A person's own pictures, with everything real. Screenshots go to tests/artefacts/."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE, Server, enter, watched
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from al_core.data.prepare import open_dataset
from al_core.records import ExperimentStatus, JobState, LabelSource
from al_core.store import open_store
from al_core.types import INITIAL_ROUND

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
SHAPES = ("circle", "cross", "square")
SIZES = ((96, 64), (160, 120), (120, 200), (72, 72), (320, 90))


def photo(shape, rng):
    """A picture of one shape on noise, in one of several sizes."""
    width, height = SIZES[rng.integers(len(SIZES))]
    noise = rng.integers(60, 110, (height, width, 3)).astype(np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    side = int(min(width, height) * rng.uniform(0.4, 0.8))
    x, y = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
    colour = tuple(int(c) for c in rng.integers(150, 256, 3))
    if shape == "circle":
        draw.ellipse((x, y, x + side, y + side), fill=colour)
    elif shape == "square":
        draw.rectangle((x, y, x + side, y + side), fill=colour)
    else:
        draw.line((x, y, x + side, y + side), fill=colour, width=max(3, side // 6))
        draw.line((x, y + side, x + side, y), fill=colour, width=max(3, side // 6))
    return image


def class_folders(root, each=20):
    """train/<class>/ with pictures, and three files that no program can show."""
    rng = np.random.default_rng(5)
    for shape in SHAPES:
        folder = root / "train" / shape
        folder.mkdir(parents=True)
        for number in range(each):
            photo(shape, rng).save(folder / f"{shape[:2]}-{number:02d}.jpg", quality=90)
    whole = (root / "train" / "circle" / "ci-00.jpg").read_bytes()
    (root / "train" / "circle" / "cut-off.jpg").write_bytes(whole[: len(whole) // 3])
    (root / "train" / "cross" / "empty.png").write_bytes(b"")
    (root / "train" / "square" / "words.jpg").write_text("not a picture")


def loose_pictures(root, each=12):
    """Pictures in one folder; what each shows is in its name only through `truth`."""
    rng = np.random.default_rng(6)
    root.mkdir(parents=True)
    truth = {}
    for number in range(each * len(SHAPES)):
        truth[f"{number:03d}.png"] = SHAPES[number % len(SHAPES)]
        photo(SHAPES[number % len(SHAPES)], rng).save(root / f"{number:03d}.png")
    return truth


@pytest.fixture
def fresh(tmp_path, context):
    """An empty home, a root for pictures beside it, no network, a server of its own, one tab."""
    ARTEFACTS.mkdir(exist_ok=True)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    nowhere = "http://127.0.0.1:9"
    offline = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere)
    env = {"AL_DATA_ROOTS": str(pictures), "AL_DOWNLOADS": "", "TORCH_DATA": "", **offline}
    env["TORCH_HOME"] = str(tmp_path / "torch")  # no ImageNet weights: they would change what is proposed
    server = Server(tmp_path / "home", env=env).start()
    store = open_store(server.settings)
    page = watched(context.new_page())
    page.set_default_timeout(PATIENCE)
    yield server, store, page, pictures
    page.close()
    workers = store.workers()
    store.close()
    server.stop()
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)
    assert not page.troubles, "\n".join(page.troubles)


def choose_own_folder(page, server, name):
    page.goto(f"{server.url}/setup")
    page.get_by_text("My own images", exact=True).click()
    page.get_by_role("combobox", name=re.compile("Folders in it")).click()
    page.get_by_role("option", name=re.compile(f"^{name}")).click()
    page.get_by_role("button", name="Use this folder").click()
    page.get_by_text(re.compile(f"Chosen: .*{name}$")).wait_for()


def train_briefly(page):
    """Few steps on small pictures: these tests are not about how well it learns."""
    page.get_by_text("More about the images").click()
    fill_number(page, "Image size", 16)
    page.get_by_text("Training", exact=True).click()
    for name, value in (("Epochs", 8), ("Minimum steps", 8), ("Threads", 1)):
        fill_number(page, name, value)


def fill_number(page, name, value):
    """Enter a number, at a person's pace: the page is at rest before and after."""
    field = page.get_by_role("spinbutton", name=name, exact=True)
    at_rest(page)
    expect(field).to_have_count(1)
    field.fill(str(value))
    page.keyboard.press("Enter")
    at_rest(page)
    expect(field).to_have_value(str(value))


def at_rest(page):
    """Until the page's script has run, and for a moment asks for no other run."""
    for _ in range(2):
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        page.wait_for_timeout(300)


def keys_of_tiles(page, key_of):
    """Press, tile by tile, the key that the file's name asks for."""
    page.locator(".askwell .tile").first.wait_for(timeout=PATIENCE)
    names = page.locator(".askwell .tile img").evaluate_all("images => images.map(image => image.alt)")
    page.locator(".askwell .tile.cursor").wait_for()
    for name in names:
        page.keyboard.press(key_of(name))
    page.get_by_text("All saved", exact=True).wait_for()
    return names


def no_traceback(page):
    assert page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in page.locator("body").inner_text()


def test_class_folders_are_prepared_shown_taught_and_asked_about(fresh):
    server, store, page, pictures = fresh
    class_folders(pictures / "shapes at home")
    choose_own_folder(page, server, "shapes at home")
    assert page.get_by_role("button", name=re.compile("Create and start")).is_disabled()
    page.get_by_role("button", name="Prepare these images").click()
    page.get_by_text(re.compile(r"48 to learn from, 12 to test on, 3 classes")).wait_for(timeout=PATIENCE)
    page.get_by_text(re.compile("there is no test folder")).wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    page.get_by_text("3 files were left out").click()
    page.get_by_test_id("stDataFrame").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=ARTEFACTS / "own-1-prepared.png")
    table = page.get_by_test_id("stDataFrame").text_content()  # the table for screen readers
    for name in ("cut-off.jpg", "empty.png", "words.jpg"):
        assert name in table

    train_briefly(page)
    page.get_by_text("Model", exact=True).click()
    page.get_by_role("radio", name=re.compile("Small CNN")).and_(page.locator(":checked")).wait_for()
    page.get_by_role("button", name=re.compile("Create and start")).click()
    page.get_by_text("Round 1: which class is it?").wait_for(timeout=PATIENCE)
    record = store.experiments()[0]
    config = record.config
    assert (config.model.model, config.data.image_size, config.train.epochs) == ("small_cnn", 16, 8)
    keys = {shape[:2]: str(number) for number, shape in enumerate(SHAPES, start=1)}
    names = keys_of_tiles(page, lambda name: keys[name[:2]])
    assert len(names) == 20
    page.screenshot(path=ARTEFACTS / "own-2-labeled.png")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Round 2: which class is it?").wait_for(timeout=PATIENCE)
    page.locator(".askwell .tile").first.wait_for()
    rounds = store.rounds(record.id)
    assert [r.num_labeled for r in rounds] == [6, 26]
    assert "test_accuracy" in rounds[1].metrics
    asked = store.query(record.id, 1)
    first = {item.sample_id for item in store.query(record.id, 0).items}
    assert not first & {item.sample_id for item in asked.items}
    no_traceback(page)


def test_plain_pictures_with_typed_classes_are_labeled_by_the_person_from_the_first_one(fresh):
    server, store, page, pictures = fresh
    truth = loose_pictures(pictures / "heap")
    choose_own_folder(page, server, "heap")
    page.get_by_role("button", name="Prepare these images").click()
    page.get_by_text(re.compile("these pictures have no labels", re.IGNORECASE)).wait_for(timeout=PATIENCE)
    enter(page, page.get_by_label(re.compile("Classes, one a line")), "\n".join(SHAPES), "Control+Enter")
    page.get_by_role("button", name="Prepare these images").click()
    page.get_by_text(re.compile(r"36 to learn from, 0 to test on, 3 classes")).wait_for(timeout=PATIENCE)
    page.get_by_text("No label is known").wait_for()

    page.screenshot(path=ARTEFACTS / "heap-1-prepared.png")
    train_briefly(page)
    page.get_by_text(re.compile(r"Plan \(1 to fix\)")).click()
    page.get_by_role("combobox", name=re.compile("Initial set")).click()
    page.get_by_role("option", name="At random", exact=True).click()
    fill_number(page, "Initial labels", 6)
    page.get_by_text("6 to begin with").wait_for()
    page.get_by_role("button", name=re.compile("Create and start")).click()
    page.get_by_text("Initial set: which class is it?").wait_for(timeout=PATIENCE)
    record = store.experiments()[0]
    assert page.get_by_role("button", name=re.compile("Auto-label")).count() == 0
    names = keys_of_tiles(page, lambda name: str(SHAPES.index(truth[name]) + 1))
    assert len(names) == 6
    page.screenshot(path=ARTEFACTS / "heap-2-initial.png")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Round 1: which class is it?").wait_for(timeout=PATIENCE)
    events = store.label_events(record.id)
    assert {e.source for e in events} == {LabelSource.HUMAN}
    assert {e.round for e in events} == {INITIAL_ROUND}
    dataset_names = sorted(names)
    assert len(dataset_names) == len(events)

    page.get_by_role("link", name="Curves").first.click()
    page.get_by_text(re.compile("nothing can be measured", re.IGNORECASE)).first.wait_for()
    page.wait_for_timeout(800)
    page.screenshot(path=ARTEFACTS / "heap-3-curves.png")
    assert store.experiment(record.id).status is ExperimentStatus.AWAITING_LABELS
    no_traceback(page)


def test_cifar_without_network_and_without_files_says_so_and_names_the_ways_out(fresh):
    server, store, page, _ = fresh
    page.goto(f"{server.url}/setup")
    page.get_by_text("CIFAR-10", exact=True).click()
    page.get_by_role("button", name=re.compile("Download 170 MB")).click()
    message = page.get_by_text(re.compile("CIFAR-10 cannot be downloaded"))
    message.wait_for(timeout=PATIENCE)
    words = message.inner_text()
    assert "check the network" in words
    assert "cifar-10-python.tar.gz" in words
    assert page.get_by_role("button", name=re.compile("Create and start")).is_disabled()
    assert page.get_by_role("button", name=re.compile("Download 170 MB")).is_enabled()
    page.screenshot(path=ARTEFACTS / "offline.png")
    job = next(job for job in store.jobs() if job.kind == "prepare")
    assert job.state is JobState.FAILED
    assert job.ended_at - job.started_at < 10
    assert not list(server.settings.downloads.glob("*"))
    no_traceback(page)


@pytest.mark.alone
def test_a_folder_of_photos_is_labeled_within_three_minutes(fresh, test_data):
    """1,574 photos of clothes: from the empty form to a first round that a person labeled, and trained."""
    server, store, page, pictures = fresh
    clothing = test_data / "clothing"
    if not clothing.is_dir():
        pytest.skip(f"no photos of clothes at {clothing}")
    shutil.copytree(clothing, pictures / "clothing")
    began = time.monotonic()
    choose_own_folder(page, server, "clothing")
    page.get_by_role("button", name="Prepare these images").click()
    page.get_by_text(re.compile(r"10 classes")).first.wait_for(timeout=180_000)
    page.get_by_text(re.compile(r"to learn from")).first.wait_for(timeout=180_000)
    prepared = time.monotonic() - began
    page.get_by_text("Training", exact=True).click()
    for name, value in (("Minimum steps", 60), ("Threads", 1)):  # whoever tests may be busy otherwise
        fill_number(page, name, value)
    page.get_by_role("button", name=re.compile("Create and start")).click()
    page.get_by_text("Round 1: which class is it?").wait_for(timeout=180_000)
    page.locator(".askwell .tile").first.wait_for()
    asked = time.monotonic() - began
    page.screenshot(path=ARTEFACTS / "clothing-1-label.png")
    record = store.experiments()[0]
    truth = open_dataset(server.settings, record.dataset_key).train.labels
    for item in store.query(record.id, 0).items:
        page.keyboard.press(str((int(truth[item.sample_id]) + 1) % 10))
    page.get_by_text("All saved", exact=True).wait_for()
    labeled = time.monotonic() - began
    page.keyboard.press("Control+Enter")
    page.get_by_text("Round 2: which class is it?").wait_for(timeout=240_000)
    trained = time.monotonic() - began
    figures = (
        f"prepared {prepared:.1f} s, first question {asked:.1f} s, "
        f"20 labels {labeled:.1f} s, trained {trained:.1f} s"
    )
    (ARTEFACTS / "clothing.txt").write_text(figures + "\n")
    print(figures)
    assert [r.num_labeled for r in store.rounds(record.id)][-1] > 20
    assert labeled < 180, figures
    no_traceback(page)
