"""Filters and sorts against a loop over rows in words."""

import numpy as np
import pytest
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.looks import SHAPES
from al_core.data.prepare import open_dataset, prepare
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import (
    ClassAct,
    ClassChange,
    ExperimentStatus,
    LabelOp,
    LabelSource,
    Mark,
    RoundRecord,
)
from al_core.results.arrays_file import write_arrays
from al_core.results.survey import LOOKS, Predicted, SurveyRequest
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL
from state import browsing, handles, standings
from state.browsing import Filter


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    caches = (handles.settings, handles.store, handles.dataset)
    for cached in caches:
        cached.cache_clear()
    standings.forget()
    settings, store = handles.settings(), handles.store()
    digits = prepare(settings, DataConfig())
    record = store.create_experiment(ExperimentConfig())
    store.update_experiment(record.id, dataset_key=digits.key, fingerprint=digits.fingerprint)
    yield Experiment.open(store, settings, record.id)
    store.close()
    for cached in caches:
        cached.cache_clear()


def tell(experiment, *ops, client="c", annotator="", source=LabelSource.HUMAN, round=-1):
    last = experiment.store.last_number(experiment.id, client)
    numbered = [LabelOp(last + n, i, value, mark=mark, detail=detail)
                for n, (i, value, mark, detail) in enumerate(ops, start=1)]  # fmt: skip
    experiment.store.add_labels(
        experiment.id, numbered, client=client, source=source, round=round, annotator=annotator
    )


def answers(experiment, values, **how):
    tell(experiment, *((i, value, None, None) for i, value in values.items()), **how)


def predicted(experiment):
    """Predictions as the worker leaves them; the session has no round, so the view is given them."""
    n = len(experiment.dataset.train)
    found = Predicted.empty(n)
    probs = np.random.default_rng(3).dirichlet(np.full(10, 0.3), n).astype(np.float32)
    found.put(0, probs)
    return found, probs


def test_survey_columns_are_those_of_the_probabilities(opened):
    found, probs = predicted(opened)
    best = np.sort(probs, axis=1)[:, ::-1]
    assert (found.predicted == probs.argmax(1)).all()
    np.testing.assert_allclose(found.confidence, best[:, 0])
    np.testing.assert_allclose(found.margin, best[:, 0] - best[:, 1])
    entropy = -(probs * np.log(np.maximum(probs, 1e-12))).sum(1)
    np.testing.assert_allclose(found.entropy, entropy, rtol=1e-5)


def test_each_filter_keeps_the_rows_for_which_it_holds(opened):
    answers(opened, {3: 1, 4: 2, 5: SKIP, 6: EXCLUDE, 7: 4}, annotator="ada")
    answers(opened, {7: UNLABEL, 8: 1}, client="d", annotator="bob", source=LabelSource.IMPORT, round=2)
    tell(opened, (3, 1, Mark.FLAG, None), (9, 1, Mark.NOTE, {"text": "odd"}), client="m")
    view = browsing.session_view(opened)

    def ids(**wanted):
        return browsing.find(view, Filter(**wanted)).tolist()

    assert ids(given=(1,)) == [3, 8]
    assert ids(given=(1, 2)) == [3, 4, 8]
    assert ids(statuses=(Status.SKIPPED, Status.EXCLUDED)) == [5, 6]
    assert ids(statuses=(Status.LABELED,)) == [3, 4, 8]
    assert ids(annotators=("bob",)) == [8]
    assert ids(sources=("import",)) == [8]
    assert ids(rounds=(2,)) == [8]
    assert ids(marks=(Mark.FLAG,)) == [3]
    assert ids(marks=(Mark.NOTE,)) == [9]
    assert ids(text="00042") == [*range(420, 430), 42] or ids(text="00042") == [42, *range(420, 430)]
    assert ids(text="train-000003.png", given=(1,)) == [3]
    assert ids(given=(9,)) == []
    assert len(ids()) == len(opened.dataset.train)


def test_confidence_prediction_and_disagreement_filter_by_the_model(opened):
    answers(opened, {i: 0 for i in range(50)})
    plain = browsing.session_view(opened)
    found, _ = predicted(opened)
    view = browsing.View(("v",), plain.dataset, plain.split, plain.standing, plain.status, found)
    got = browsing.find(view, Filter(confidence=(0.5, 0.8)))
    assert got.tolist() == np.flatnonzero((found.confidence >= 0.5) & (found.confidence <= 0.8)).tolist()
    assert (
        browsing.find(view, Filter(predicted=(4,))).tolist() == np.flatnonzero(found.predicted == 4).tolist()
    )
    wrong = [i for i in range(50) if found.predicted[i] != 0]
    assert browsing.find(view, Filter(disagrees=True)).tolist() == wrong


def test_a_prediction_of_a_class_that_was_merged_since_counts_as_the_other(opened):
    store = opened.store
    store.submit_job("advance", experiment_id=opened.id)
    _, lease = store.claim_job("w")
    done = RoundRecord(opened.id, 0, 5, 0, {}, None, (1,) * 10, {}, {"weights": "ab" * 32}, {}, 0.0)
    store.finish_round(lease, done, None, status=ExperimentStatus.AWAITING_LABELS)
    found, _ = predicted(opened)
    found.write(SurveyRequest(opened.id, 0).path(opened))
    opened.change_class(ClassChange(4, ClassAct.MERGE, into=7))
    opened.refresh()
    answers(opened, {i: 7 for i in range(60)})
    view = browsing.session_view(opened)
    as_seven = np.isin(found.predicted, (4, 7))
    assert browsing.find(view, Filter(predicted=(7,))).tolist() == np.flatnonzero(as_seven).tolist()
    assert browsing.find(view, Filter(disagrees=True)).tolist() == np.flatnonzero(~as_seven[:60]).tolist()
    four = np.flatnonzero(found.predicted == 4)[:1]
    assert browsing.rows(view, four)[0].predicted == "7"


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("sort", browsing.SORTS)
def test_each_sort_orders_and_puts_what_is_not_known_last(opened, sort, falling):
    answers(opened, {9: 1, 2: 2})
    answers(opened, {5: 3}, client="later")
    plain = browsing.session_view(opened)
    found, _ = predicted(opened)
    looks = {name: np.random.default_rng(1).random(len(plain.split)).astype(np.float32) for name in LOOKS}
    looks["sharpness"][7] = np.nan
    view = browsing.View(("w",), plain.dataset, plain.split, plain.standing, plain.status, found, looks)
    ids = browsing.find(view, Filter(), sort, falling=falling)
    assert sorted(ids.tolist()) == list(range(len(plain.split)))
    if sort in ("id", "name"):
        expected = list(range(len(ids)))
        assert ids.tolist() == (expected[::-1] if falling else expected)
    elif sort == "time of label":
        assert set(ids[:2]) == {2, 9} or ids[0] == 5
        assert set(ids[:3]) == {2, 5, 9}
    else:
        if sort in SHAPES:  # all digits are of one size
            assert ids.tolist() == list(range(len(ids)))
            return
        values = looks[sort][ids] if sort in looks else getattr(found, sort)[ids]
        known = values[np.isfinite(values)]
        assert (np.diff(known) <= 0).all() if falling else (np.diff(known) >= 0).all()
        assert np.isfinite(values[: len(known)]).all()


def test_truth_is_kept_back_until_a_person_has_answered(opened):
    answers(opened, {3: 1})
    view = browsing.session_view(opened)
    assert view.truth_of(3) == opened.dataset.train.labels[3]
    assert view.truth_of(4) == UNKNOWN
    truth = int(opened.dataset.train.labels[3])
    assert browsing.find(view, Filter(truth=(truth,))).tolist() == [3]
    revealed = browsing.session_view(opened, reveal=True)
    assert revealed.truth_of(4) == opened.dataset.train.labels[4]


def test_the_view_follows_the_log_without_reading_it_again(opened, monkeypatch):
    answers(opened, {3: 1})
    assert browsing.rows(browsing.session_view(opened), np.array([3]))[0].label == "1"
    seen = []
    store = handles.store()
    read = store.label_events
    monkeypatch.setattr(store, "label_events", lambda *a, **k: seen.append(k) or read(*a, **k))
    answers(opened, {3: 2, 4: SKIP})
    rows = browsing.rows(browsing.session_view(opened), np.array([3, 4]))
    assert [row.label for row in rows] == ["2", "skipped"]
    assert [k["after"] for k in seen] == [1]


def test_where_an_image_stands_is_said_in_the_language_of_the_process(opened, monkeypatch):
    answers(opened, {3: 1, 4: SKIP})
    monkeypatch.setattr(browsing, "tr", lambda words, **values: f"[{words}]")
    rows = browsing.rows(browsing.session_view(opened), np.array([3, 4]))
    assert [(row.status, row.label) for row in rows] == [("[labeled]", "1"), ("[skipped]", "[skipped]")]


def test_a_prepared_data_set_shows_its_truth(opened):
    view = browsing.dataset_view(opened.dataset, "test")
    row = browsing.rows(view, np.array([0]))[0]
    assert row.truth == opened.dataset.classes[opened.dataset.test.labels[0]]
    assert row.file == "test-000000.png"
    assert view.sorts() == ["id", "name"]


@pytest.fixture
def sized(opened, tmp_path):
    """A data set of photos of six sizes."""
    for number, (width, height) in enumerate([(40, 30), (30, 40), (90, 20), (64, 48), (50, 50), (200, 100)]):
        folder = tmp_path / "photos" / "train" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height), (number, 0, 0)).save(folder / f"{number}.png")
    data = DataConfig(dataset=f"folder:{tmp_path / 'photos'}", test_fraction=0)
    return prepare(handles.settings(), data, trusted=True)


def test_images_are_sorted_and_filtered_by_the_size_that_they_came_in(sized):
    view = browsing.dataset_view(sized, "train")
    assert view.sorts() == ["id", "name", "shorter side", "aspect ratio"]
    order = browsing.find(view, Filter(), "shorter side")
    rows = browsing.rows(view, order)
    assert [row.size for row in rows] == ["90 × 20", "40 × 30", "30 × 40", "64 × 48", "50 × 50", "200 × 100"]
    widest = browsing.rows(view, browsing.find(view, Filter(), "aspect ratio", falling=True))[0]
    assert widest.size == "90 × 20"
    middle = browsing.rows(view, browsing.find(view, Filter(side=(30, 50))))
    assert sorted(row.size for row in middle) == ["30 × 40", "40 × 30", "50 × 50", "64 × 48"]


def test_a_set_without_sizes_is_not_sorted_by_them(sized):
    for split in ("train", "test"):
        (handles.settings().datasets / sized.key / f"{split}_sizes.npy").unlink()
    view = browsing.dataset_view(open_dataset(handles.settings(), sized.key), "train")
    assert view.sorts() == ["id", "name"]
    assert browsing.find(view, Filter(side=(30, 50))).tolist() == list(range(6)), "nothing can be asked of it"
    assert browsing.rows(view, np.array([0]))[0].size == ""


def test_looks_are_found_where_the_worker_left_them(opened):
    n = len(opened.dataset.train)
    path = SurveyRequest(opened.id, None).path(opened)
    write_arrays(path, {name: np.arange(n, dtype=np.float32) for name in LOOKS})
    view = browsing.session_view(opened)
    assert "brightness" in view.sorts()
    assert browsing.find(view, Filter(), "brightness", falling=True)[0] == n - 1
