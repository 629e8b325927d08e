"""The Data page in a real browser: look through, correct, import with a check and an undo, export."""

import re
import zipfile

import numpy as np
import pytest

from al_core.records import LabelOp, LabelSource
from tests.e2e.conftest import PATIENCE, Home

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def open_data(page, server, record):
    page.goto(f"{server.url}/data?exp={record.id}")
    page.get_by_role("heading", name="Data", exact=True).wait_for()
    page.locator("figure .open").first.wait_for()


def values(home: Home, record):
    return {i: event.value for i, event in home.store.current_labels(record.id).items()}


def test_a_range_of_images_is_selected_labeled_and_undone(server, home, page):
    record = home.experiment(name="data select")
    open_data(page, server, record)
    boxes = page.locator("figure input[type=checkbox]")
    boxes.nth(2).click()
    boxes.nth(5).click(modifiers=["Shift"])
    page.get_by_role("button", name="Label 4 images").wait_for()  # a button acts on what its words say
    page.get_by_role("button", name="Exclude").click()
    page.get_by_text("4 answers are saved").wait_for()
    assert sorted(values(home, record)) == [2, 3, 4, 5]
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("4 answers are saved").wait_for(state="hidden")
    assert set(values(home, record).values()) == {-4}


def test_an_image_opens_and_the_arrows_turn_to_the_next(server, home, page):
    record = home.experiment(name="data detail")
    open_data(page, server, record)
    page.locator("figure .open").nth(3).click()
    page.get_by_role("dialog").get_by_text("train-000003.png").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Next").click()
    page.get_by_role("dialog").get_by_text("train-000004.png").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


def test_a_name_narrows_the_grid(server, home, page):
    record = home.experiment(name="data filter")
    open_data(page, server, record)
    page.get_by_role("textbox", name="File name holds").fill("00042")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"^11 of 1,297 images$")).wait_for()
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_text(re.compile(r"^1,297 images$")).wait_for()


def test_labels_are_checked_imported_taken_back_and_exported(server, home, page, tmp_path):
    record = home.experiment(name="data import")
    rows = "".join(f"{i},{i % 10}\n" for i in range(30))
    file = tmp_path / "labels.csv"
    file.write_text(f"sample_id,label\n{rows}99999,1\n3,zebra\n")
    open_data(page, server, record)
    page.get_by_role("tab", name="Import").click()
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_text("labels.csv").first.wait_for()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("2 rows are refused").wait_for(timeout=PATIENCE)
    assert values(home, record) == {}
    page.get_by_role("button", name="Import 30 labels").click()
    page.get_by_text("30 labels and 0 marks are saved").wait_for(timeout=PATIENCE)
    assert values(home, record) == {i: i % 10 for i in range(30)}
    page.get_by_role("button", name="Another import").click()
    page.get_by_text("Imports of this session").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("taken back", exact=True).wait_for()
    assert set(values(home, record).values()) == {-4}
    home.store.add_labels(record.id, _ops(np.arange(5)), client="again", source=LabelSource.HUMAN, round=-1)
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("button", name="Write the export").click()
    link = page.get_by_role("link", name=re.compile("Download"))
    link.wait_for(timeout=PATIENCE)
    with page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["labels.csv", "run-card.json"]
        assert archive.read("labels.csv").count(b"\r\n") == 6


def _ops(ids):
    return [LabelOp(n, int(i), 1) for n, i in enumerate(ids, start=1)]
