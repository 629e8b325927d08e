"""A share of the images is labeled without guesses; each label says which, and the meter compares."""

import pytest
from test_label_grid import ids_of, open_label, saved, wait_for_events

from al_core.records import LabelOp, LabelSource
from al_core.results.reliance import is_hidden

pytestmark = pytest.mark.e2e


def test_hidden_guesses_reach_no_page_and_each_label_says_whether_it_saw_one(page, server, home):
    record = home.experiment(rounds=1, num_items=20, query__blind_share=0.4)
    ids, items = ids_of(home, record), home.query(record).items
    hidden = [is_hidden(record.config.seed, i, 0.4) for i in ids]
    assert 0 < sum(hidden) < 20
    open_label(page, server, record)
    assert page.locator(".askwell .tile .none", has_text="hidden").count() == sum(hidden)
    assert page.locator(".askwell .tile .maybe").count() == 20 - sum(hidden)
    for place, item in enumerate(items):
        page.keyboard.press("q")
        if hidden[place]:  # nothing to take: the class has to be seen
            page.locator(".askwell .blind-note").wait_for()
            page.keyboard.press(str(item.guesses[1][0]))
    saved(page)
    wait_for_events(page, home, record, 20)
    events = home.store.label_events(record.id)
    assert [e.detail["shown"] for e in events] == [not each for each in hidden]
    assert [e.value for e in events] == [
        item.guesses[1 if each else 0][0] for item, each in zip(items, hidden, strict=True)
    ]


def test_the_meter_warns_and_hides_all_guesses_where_they_sway(page, server, home):
    record = home.experiment(rounds=2, num_items=60, query__blind_share=0.3)
    asked = home.store.query(record.id, 0)
    ops = []
    for n, item in enumerate(asked.items, start=1):
        hides = is_hidden(record.config.seed, item.sample_id, 0.3)
        value = item.guesses[1 if hides and n % 2 else 0][0]
        ops.append(LabelOp(n, item.sample_id, value, 900, None, {"shown": not hides}))
    home.store.add_labels(record.id, ops, client="seeded01", source=LabelSource.HUMAN, round=0)
    open_label(page, server, record)
    page.get_by_role("button", name="Guesses sway you").click()
    page.get_by_text("You may be taking guesses over without looking").wait_for()
    page.get_by_role("button", name="Hide all guesses").click()
    page.locator(".askwell .tile .maybe").first.wait_for(state="detached")
    assert page.locator(".askwell .guess").count() == 0
