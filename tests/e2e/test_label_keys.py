"""The key map: changed in the sheet, free of conflicts, kept in the browser, taken along as a file."""

import json

import pytest
from test_label_grid import ids_of, open_label, saved

from al_core.types import SKIP

pytestmark = pytest.mark.e2e


def change(page, action, key):
    page.get_by_role("button", name=f"Change the key of: {action}").click()
    page.keyboard.press(key)
    return page.locator(".askwell .sheet .words").inner_text()


def test_keys_are_changed_without_conflicts_and_kept(page, server, home, tmp_path):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    page.keyboard.press("?")
    assert "taken" in change(page, "skip", "x")
    assert "belongs to the page" in change(page, "skip", "r")
    assert "belongs to a class" in change(page, "skip", "4")
    assert change(page, "skip", "s").startswith("S: skip")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.press(" ")  # means nothing any more
    saved(page)
    ids = ids_of(home, record)
    assert home.events(record) == [(ids[0], SKIP)]
    assert page.get_by_role("button", name="Skip (S)").is_visible()
    page.reload()
    page.locator(".askwell .tile").first.wait_for()
    page.keyboard.press("?")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    kept = json.loads(download.value.path().read_text())
    assert (kept["askwell_keys"], kept["keys"]["skip"]) == (1, ["s"])
    page.get_by_role("button", name="Standard keys").click()
    page.get_by_role("button", name="Change the key of: skip").get_by_text("Space").wait_for()

    def bring(value):
        path = tmp_path / "keys.json"
        path.write_text(value)
        page.locator('.askwell input[type="file"]').set_input_files(path)

    words = page.locator(".askwell .sheet .words")
    bring(json.dumps({"askwell_keys": 1, "keys": {"skip": ["x"]}}))
    words.filter(has_text="would mean two things").wait_for()
    bring("{")
    words.filter(has_text="no JSON").wait_for()
    bring(json.dumps(kept))
    words.filter(has_text="Keys imported").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    saved(page)
    assert home.events(record) == [(ids[0], SKIP), (ids[1], SKIP)]
    page.evaluate("localStorage.clear()")
