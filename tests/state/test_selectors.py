from dataclasses import replace

import pytest

from al_core.config import ExperimentConfig
from al_core.experiment import Step
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobRecord,
    JobState,
    RoundRecord,
    WorkerRecord,
)
from state import selectors


def job(state=JobState.RUNNING, **progress):
    return JobRecord(
        id="j1", kind="advance", experiment_id="e1", spec={}, state=state, priority=0, attempt=1, control="",
        paused=False, progress=progress, error_kind=None, error_text=None, traceback=None, worker=None,
        heartbeat_at=None, created_at=0.0, started_at=None, ended_at=None,
    )  # fmt: skip


def record(status=ExperimentStatus.AWAITING_LABELS, **changes):
    config = ExperimentConfig().changed(stop__budget=500)
    return ExperimentRecord(
        id="e1", name="a name", config=config, status=status, dataset_key="digits", fingerprint="f",
        split_hash="s", stop_reason=None, parent_id=None, ghost=False, created_at=0.0,
        updated_at=9.0, version=3, num_rounds=2, num_labeled=120, **changes,
    )  # fmt: skip


def rounds(*accuracies):
    return [
        RoundRecord("e1", n, 20 * (n + 1), 1, {"test_accuracy": a}, None, (), {}, {}, {}, 0.0)
        for n, a in enumerate(accuracies)
    ]


def places(step):
    return [place for _, place in selectors.rail(record(), step, ()).steps]


def test_the_rail_says_labels_of_the_budget_accuracy_and_its_change():
    view = selectors.rail(record(), Step("label", 5, 20), rounds(0.844, 0.865))
    assert view.labels == "120/500 labels"
    assert view.accuracy == "86.5 %"
    assert view.change == "+2.1"
    assert view.round == "round 2"
    assert view.note == "5 of 20 answered"
    assert view.progress is None
    interrupted = selectors.rail(record(), Step("train", 12, 20, new=12), ())
    assert interrupted.note == "12 of 20 answered"


def test_each_step_lights_its_place_in_the_loop():
    assert places(Step("start")) == ["current", "waiting", "waiting", "waiting"]
    assert places(Step("label", 1, 20)) == ["done", "current", "waiting", "waiting"]
    assert places(Step("train", 20, 20)) == ["done", "done", "current", "waiting"]
    assert places(Step("working", job=job(phase="evaluate"))) == ["done", "done", "done", "current"]
    assert places(Step("working", job=job(phase="query"))) == ["current", "waiting", "waiting", "waiting"]
    assert places(Step("working", 20, 20, job())) == ["done", "done", "current", "waiting"]
    assert places(Step("failed")) == ["done", "done", "trouble", "waiting"]
    assert set(places(Step("finished"))) == {"done"}


def test_progress_is_a_share_whatever_a_worker_writes():
    assert selectors.rail(record(), Step("working", job=job(done=5, total=10)), ()).progress == 0.5
    assert selectors.rail(record(), Step("working", job=job(done=50, total=10)), ()).progress == 1.0
    assert selectors.rail(record(), Step("working", job=job(done="x", total=0)), ()).progress == 0.0


def test_what_a_job_is_at_is_said_in_words():
    assert selectors.doing(job(phase="train", epoch=3, epochs=50, eta_seconds=12.2)) == (
        "Training, epoch 4 of 50, 12 s left"
    )
    assert selectors.doing(job()) == "Waiting for the worker"
    assert selectors.doing(job(state=JobState.DONE)) == "done"


@pytest.mark.parametrize(
    ("step", "page", "label", "leads_to", "advances"),
    [
        (Step("label", 5, 20), "home", "Label 15 images", "label", False),
        (Step("label", 19, 20), "curves", "Label 1 image", "label", False),
        (Step("train", 20, 20, new=18), "label", "Train on 18 new labels", "train", True),
        (Step("train", 20, 20), "label", "Go on training", "train", True),  # all were skipped
        (Step("start"), "home", "Start", "label", True),
        (Step("failed", reason="no"), "home", "Try again", "train", True),
        (Step("working", job=job()), "home", "Watch training", "train", False),
        (Step("finished"), "home", "See the curve", "curves", False),
    ],
)
def test_the_button_is_the_next_sensible_step(step, page, label, leads_to, advances):
    button = selectors.next_step(step, page=page)
    assert (button.label, button.page, button.advance) == (label, leads_to, advances)


def test_there_is_no_button_for_what_the_person_is_doing():
    assert selectors.next_step(Step("label", 5, 20), page="label") is None
    assert selectors.next_step(Step("working", job=job()), page="train") is None
    assert selectors.next_step(Step("finished"), page="curves") is None


def test_a_card_has_the_curve_and_says_where_the_session_stands():
    card = selectors.session_card(record(), rounds(0.5, 0.75))
    assert card.curve == (0.5, 0.75)
    assert card.accuracy == 0.75
    assert card.status == "waits for labels"
    assert selectors.session_card(record(), ()).accuracy is None


def test_accuracy_falls_back_to_the_validation_split():
    only = RoundRecord("e1", 0, 20, 1, {"validation_accuracy": 0.4}, None, (), {}, {}, {}, 0.0)
    assert selectors.accuracies([only]) == [0.4]


def test_the_worker_is_said_with_its_device():
    worker = WorkerRecord("w", "host", 1, 1.0, "cpu, 2 threads", "idle", 0.0)
    assert selectors.worker_words(worker) == "cpu, 2 threads · ready"
    assert selectors.worker_words(None) == "No worker is running"


def test_the_page_is_drawn_again_when_the_step_changes_and_not_while_one_goes_on():
    one = selectors.signature(record(), Step("working", job=job(phase="train", epoch=1)))
    two = selectors.signature(record(), Step("working", job=job(phase="train", epoch=2)))
    three = selectors.signature(record(), Step("label", 0, 20))
    assert one == two
    assert one != three


def test_sessions_of_equal_name_can_be_told_apart_in_a_list():
    names = ["a", "b (2)", "b", "b", "b (2)"]
    records = [replace(record(), id=f"e{n}", name=name) for n, name in enumerate(names)]
    shown = selectors.session_names(records)
    assert list(shown) == [r.id for r in records]
    assert len(set(shown.values())) == len(names)
    assert shown["e0"] == "a"
    assert shown["e3"] == "b"
