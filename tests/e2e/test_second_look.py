"""The Review page in a real browser: keys decide, every decision is an event, undo opens the case again."""

import pytest
from conftest import PATIENCE, watched

from al_core.records import LabelOp, LabelSource, Mark
from al_core.types import EXCLUDE

pytestmark = pytest.mark.e2e


@pytest.fixture
def doubted(home):
    """Four images on which Ann and Bob disagree; the first is flagged, too."""
    record = home.experiment(rounds=1, num_items=10, name="doubted")
    ids = [item.sample_id for item in home.store.queries(record.id)[0].items][:4]
    for n, i in enumerate(sorted(ids)):
        for who, value, mark in (("Ann", 3, None), ("Bob", 5, Mark.OPINION), ("Ann", 1, Mark.FLAG)):
            if mark is Mark.FLAG and n:
                continue
            home.store.add_labels(
                record.id, [LabelOp(1, i, value, mark=mark)], client=f"{who}-{i}-{mark}",
                source=LabelSource.HUMAN, round=-1, annotator=who,
            )  # fmt: skip
    return record, sorted(ids)


def test_keys_keep_fix_exclude_and_take_back(browser, server, home, doubted):
    record, ids = doubted
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": "askwell_name", "value": "Carl", "url": server.url}])
    page = watched(context.new_page())
    page.goto(f"{server.url}/review?exp={record.id}")
    page.locator(".review .stage img").wait_for()
    assert page.locator(".review .count").inner_text() == "4 to look at"
    before = len(home.store.log(record.id))
    for key in ("k", "f", "x", "Backspace", "7"):
        page.keyboard.press(key)
    page.get_by_text("All saved", exact=True).wait_for()
    for _ in range(300):
        if len(home.store.log(record.id)) == before + 6:
            break
        page.wait_for_timeout(100)
    said = [
        (e.sample_id, e.value, e.mark, (e.detail or {}).get("how"))
        for e in reversed(home.store.log(record.id, limit=6))
    ]
    assert said == [
        (ids[0], 3, None, None), (ids[0], 0, Mark.FLAG, None), (ids[1], 5, None, None),
        (ids[2], EXCLUDE, None, None), (ids[2], 3, None, "undone"), (ids[2], 7, None, None),
    ]  # fmt: skip
    assert {e.source for e in home.store.log(record.id, limit=6)} == {LabelSource.ADJUDICATION}
    assert {e.annotator for e in home.store.log(record.id, limit=6)} == {"Carl"}
    page.reload()  # what is decided stays decided
    page.locator(".review .stage img").wait_for()
    assert page.locator(".review .count").inner_text() == "1 to look at"
    page.get_by_role("button", name="History of this image").click()
    page.get_by_role("spinbutton", name="Sample id").wait_for()
    assert page.get_by_role("spinbutton", name="Sample id").input_value() == str(ids[3])
    assert page.troubles == []
    context.close()
