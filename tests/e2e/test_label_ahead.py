"""Labelling on while a round trains: nothing is lost, nothing is pulled away, nothing waits."""

import re
import time
from dataclasses import replace

import numpy as np
import pytest
from conftest import PATIENCE
from test_label_grid import DIGITS, ids_of, open_label, saved, wait_for_events

from al_core.records import ExperimentStatus, JobState, LabelSource
from al_core.types import UNLABEL

pytestmark = pytest.mark.e2e


def ahead_of(home, record):
    return [item.sample_id for item in home.query(record).ahead]


def jobs_of(home, record):
    return home.store.jobs(experiment_id=record.id, active=True)


def wait_for_job(page, home, record, seconds=20):
    end = time.monotonic() + seconds
    while not jobs_of(home, record):
        assert time.monotonic() < end, "no training was asked for"
        page.wait_for_timeout(50)


def trains(page, words="Training"):
    page.locator(".askwell .train").filter(has_text=re.compile(f"^{words}")).wait_for(timeout=PATIENCE)


def may_go_over(page):
    page.get_by_role("button", name="Go over to the newest images").wait_for(timeout=PATIENCE)


def claim(home, record):
    """Take the job as a worker would, and say that it trains on what is labeled now."""
    claimed = home.store.claim_job("e2e", job_id=jobs_of(home, record)[0].id)
    rev, number = home.store.label_rev(record.id), home.store.experiment(record.id).num_rounds
    home.store.update_experiment(record.id, lease=claimed[1], status=ExperimentStatus.TRAINING)
    progress = {"phase": "train", "done": 1, "total": 9, "round": number, "label_event_id": rev}
    home.store.heartbeat(claimed[1], progress)
    return claimed[1]


def finish(home, record, lease, *, num_items=20, ahead=20):
    """Write the next round and its query, of images that nobody was asked for."""
    store, number = home.store, home.store.experiment(record.id).num_rounds
    known = {item.sample_id for query in store.queries(record.id) for item in query.offered}
    fresh = np.array([i for i in range(len(home.dataset.train)) if i not in known])
    query = home._query(record.id, number, fresh[:num_items], guesses=True)
    query = home.with_ahead(query, fresh[num_items : num_items + ahead])
    [job] = jobs_of(home, record)
    trained = replace(home._round(record.id, number, 20), label_event_id=job.progress["label_event_id"])
    store.finish_round(lease, trained, query, status=ExperimentStatus.AWAITING_LABELS)
    store.end_job(lease, JobState.DONE)


def press(page, keys, pause=40):
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(pause)


def test_why_an_image_ahead_was_picked_is_said_too(page, server, home):
    record = home.experiment(rounds=1, ahead=6)
    open_label(page, server, record)
    press(page, DIGITS * 2)
    page.keyboard.press("Control+Enter")
    page.get_by_text("0 of 6 labeled ahead").wait_for()
    page.get_by_role("button", name="Watch training").wait_for()  # a run of the whole page closes a dialog
    page.keyboard.press("i")
    page.get_by_role("dialog").get_by_text("Picked ahead, to be labeled while a model trains.").wait_for()


def test_images_ahead_are_labeled_while_it_trains_and_the_new_ones_wait_for_the_end(page, server, home):
    record = home.experiment(rounds=1, ahead=6)
    open_label(page, server, record)
    asked, ahead = ids_of(home, record), ahead_of(home, record)
    press(page, DIGITS * 2)
    page.keyboard.press("Control+Enter")
    page.get_by_text("0 of 6 labeled ahead").wait_for()  # at once: no page in between
    assert page.get_by_text("Ahead: picked by the previous model").is_visible()
    wait_for_job(page, home, record)
    lease = claim(home, record)  # what came until then is trained on, what comes now is not
    press(page, "730")
    saved(page)
    trains(page)
    finish(home, record, lease)
    may_go_over(page)
    assert page.get_by_text("Newer images are ready; they come after these 3.").is_visible()
    press(page, "19")
    assert page.get_by_text("5 of 6 labeled ahead").is_visible()  # still the same images
    press(page, "8")  # the last one: now the new images are there
    page.get_by_text("0 of 20 labeled", exact=True).wait_for()
    press(page, "4")
    saved(page)
    wait_for_events(page, home, record, 27)
    events = [(e.sample_id, e.value, e.round) for e in home.store.label_events(record.id)]
    wanted = [(i, int(key), 0) for i, key in zip(asked, DIGITS * 2, strict=True)]
    wanted += [(i, int(key), 0) for i, key in zip(ahead, "730198", strict=True)]
    assert events == [*wanted, (ids_of(home, record)[0], 4, 1)]
    assert {e.source for e in home.store.label_events(record.id)} == {LabelSource.HUMAN}
    page.get_by_role("button", name="Train on 7 labels").wait_for()
    page.get_by_role("heading", name="Round 2: which class is it?").wait_for(timeout=PATIENCE)
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")  # the last one ahead, in an earlier round by now
    saved(page)
    wait_for_events(page, home, record, 29)
    last = home.store.label_events(record.id)[-1]
    assert (last.sample_id, last.value, last.source) == (ahead[5], UNLABEL, LabelSource.CORRECTION)
    assert home.store.check() == []


def test_a_key_goes_over_and_what_was_left_open_returns(page, server, home):
    record = home.experiment(rounds=1, ahead=6)
    open_label(page, server, record)
    press(page, DIGITS * 2)
    page.keyboard.press("Control+Enter")
    wait_for_job(page, home, record)
    lease = claim(home, record)
    trains(page)
    press(page, "7")
    finish(home, record, lease)
    may_go_over(page)
    page.keyboard.press("v")
    page.get_by_text("0 of 20 labeled", exact=True).wait_for()
    press(page, "5")
    saved(page)
    wait_for_events(page, home, record, 22)
    assert home.events(record)[-1] == (ids_of(home, record)[0], 5)


def test_who_only_waits_gets_the_new_images_without_a_key(page, server, home):
    record = home.experiment(rounds=1, ahead=6)
    open_label(page, server, record)
    press(page, DIGITS * 2)
    page.keyboard.press("Control+Enter")
    wait_for_job(page, home, record)
    finish(home, record, claim(home, record))
    page.get_by_role("heading", name="Round 2: which class is it?").wait_for(timeout=PATIENCE)
    page.get_by_text("0 of 20 labeled", exact=True).wait_for()


def test_training_begins_with_a_part_and_the_rest_stays_to_be_labeled(page, server, home):
    record = home.experiment(rounds=1, ahead=6)
    open_label(page, server, record)
    press(page, "730")
    page.get_by_role("button", name="Train on 3 labels").wait_for()
    page.keyboard.press("Control+Enter")
    wait_for_job(page, home, record)
    lease = claim(home, record)
    trains(page)
    press(page, (DIGITS * 2)[3:])
    page.get_by_text("0 of 6 labeled ahead").wait_for()
    saved(page)
    page.keyboard.press("Backspace")  # goes back to the asked ones
    page.get_by_text("19 of 20 labeled", exact=True).wait_for()
    press(page, "1")
    page.get_by_text("0 of 6 labeled ahead").wait_for()
    trains(page, "Training; 17 labels for the next round")
    page.reload()  # a fresh page stands where this one stood
    page.get_by_text("0 of 6 labeled ahead").wait_for()
    finish(home, record, lease)
    page.get_by_role("heading", name="Round 2: which class is it?").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Train on 17 labels").wait_for()
    assert len({i for i, _ in home.events(record)}) == 20


def test_training_goes_on_by_itself_and_the_next_batch_is_there_when_the_last_key_falls(page, server, home):
    record = home.experiment(rounds=1, num_items=10, ahead=10)
    open_label(page, server, record)
    page.get_by_label("Train by itself, without waiting").check()
    page.locator(".askwell .tile").first.click()
    press(page, DIGITS)
    page.get_by_text("0 of 10 labeled ahead").wait_for()
    wait_for_job(page, home, record)
    lease = claim(home, record)
    trains(page)
    press(page, DIGITS[:4])
    saved(page)
    finish(home, record, lease, num_items=10, ahead=10)
    may_go_over(page)
    assert jobs_of(home, record) == []
    press(page, DIGITS[4:])  # a batch's worth: trains again, and the new images are there
    page.get_by_text("0 of 10 labeled", exact=True).wait_for()
    wait_for_job(page, home, record)
    press(page, "5")
    wait_for_events(page, home, record, 21)
    assert home.events(record)[-1] == (ids_of(home, record)[0], 5)
    home.store.control_job(jobs_of(home, record)[0].id, "stop")


def test_keys_go_on_labeling_from_the_box_that_was_ticked(page, server, home):
    record = home.experiment(rounds=1, num_items=20)
    open_label(page, server, record)
    page.get_by_role("button", name="Single").click()
    box = page.get_by_label("Train by itself, without waiting")
    box.check()
    page.keyboard.press("7")
    page.locator(".askwell .stage").click()
    page.keyboard.press("3")
    saved(page)
    assert home.events(record) == list(zip(ids_of(home, record)[:2], (7, 3), strict=True))
    box.focus()
    page.keyboard.press(" ")  # still turns the box
    assert not box.is_checked()
    assert len(home.events(record)) == 2
