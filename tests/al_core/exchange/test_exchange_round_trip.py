"""What is exported and imported again is the same state, in each format."""

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from al_core import by_hand
from al_core.exchange import labels
from al_core.exchange.content import FORMATS
from al_core.exchange.reading import read
from al_core.exchange.run_card import run_card
from al_core.exchange.writing import CARD, Source, write, zipped
from al_core.experiment import Experiment
from al_core.records import STANDING_MARKS, LabelOp, LabelSource, Mark
from al_core.results import people
from al_core.results.export import cell, uncell
from al_core.settings import Settings
from al_core.types import EXCLUDE, SKIP, UNLABEL
from tests.al_core.exchange_session import CLASSES, make_photos, open_session, tell

TABLES = [form for form in FORMATS if form not in ("folders", "hf")]
values = st.one_of(st.integers(0, len(CLASSES) - 1), st.sampled_from([SKIP, EXCLUDE, UNLABEL]))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
marks = st.lists(st.tuples(st.integers(0, 34), st.sampled_from(STANDING_MARKS), text), max_size=6)
answers = st.dictionaries(st.integers(0, 34), values, max_size=20)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of photos, and one session to fill anew."""
    home = tmp_path_factory.mktemp("round-trip")
    photos = home / "photos"
    make_photos(photos)
    settings = Settings.from_env({"AL_HOME": str(home / "home"), "AL_DATA_ROOTS": str(home)})
    first = open_session(settings, photos)
    yield settings, first, home
    first.store.close()


def another(first):
    """A new session on the same images."""
    record = first.store.create_experiment(first.config)
    first.store.update_experiment(
        record.id, dataset_key=first.record.dataset_key, fingerprint=first.record.fingerprint
    )
    return Experiment.open(first.store, first.settings, record.id)


def state(experiment):
    return run_card(experiment, (source := Source.of(experiment)).found, source.beside)["labels"][
        "state_hash"
    ]


names = st.sampled_from(["", "Ada", "Bob", "Çağla; [x]"])
tagged = st.lists(st.tuples(st.integers(0, 34), st.sampled_from(["red", "a; b", '["x"]', "'=1"])), max_size=6)
asked = st.lists(st.integers(0, 34), max_size=6, unique=True)
opinions = st.lists(st.tuples(st.integers(0, 34), values, names, st.booleans()), max_size=8)


def say_beside(experiment, tagged, asked, opinions):
    """What people said beside labels, and took back again."""
    for n, (i, text) in enumerate(tagged):
        by_hand.tag(experiment, [i], text, client=f"tag-{n}")
    for n, (i, value, who, again) in enumerate(opinions):
        op = LabelOp(1, i, value, mark=Mark.OPINION, detail={"how": "reask"} if again else None)
        experiment.store.add_labels(
            experiment.id, [op], client=f"said-{n}", source=LabelSource.HUMAN, round=-1, annotator=who
        )
    ops = [LabelOp(n, i, 1, mark=Mark.ASK) for n, i in enumerate(asked, start=1)]
    if ops:
        experiment.store.add_labels(
            experiment.id, ops, client="asks", source=LabelSource.HUMAN, round=-1, annotator="Ada"
        )


def said(marks):
    return [(i, mark, words if mark is Mark.NOTE else "") for i, mark, words in marks]


def there_and_back(place, form, name, filled):
    _, first, home = place
    folder = home / f"out-{name}-{filled.id}"
    target = write(filled, folder, form)
    source = folder if form == "hf" else target
    work = home / f"work-{name}-{filled.id}"
    work.mkdir()
    content = read(source, workspace=work)
    fresh = another(first)
    made = labels.plan(fresh, content)
    assert made.refused == []
    labels.apply(fresh, made)
    assert state(fresh) == state(filled)
    assert labels.plan(fresh, content).empty
    return folder, fresh


@pytest.mark.parametrize("form", TABLES)
@trials(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=answers, marks=marks, tagged=tagged, asked=asked, opinions=opinions)
def test_any_state_comes_back_from_each_table(place, form, answers, marks, tagged, asked, opinions):
    filled = another(place[1])
    tell(filled, *answers.items(), *said(marks))
    say_beside(filled, tagged, asked, opinions)
    _, fresh = there_and_back(place, form, form, filled)
    assert by_hand.tags(fresh.store, fresh.id).keys() == by_hand.tags(filled.store, filled.id).keys()
    then, now = (by_hand.standing(x.store.mark_events(x.id)) for x in (filled, fresh))
    assert now == {number: ids for number, ids in then.items() if ids}  # in the order of the asking


@pytest.mark.parametrize("form", ["folders", "hf"])
def test_images_with_labels_come_back_too(place, form):
    filled = another(place[1])
    tell(filled, *((i, i % len(CLASSES)) for i in range(20)))
    tell(filled, (20, SKIP), (21, EXCLUDE), (22, 1), (22, UNLABEL),
         (3, Mark.FLAG, ""), (25, Mark.NOTE, "=odd\nthing"), (4, Mark.UNSURE, ""))  # fmt: skip
    say_beside(filled, [(3, "red"), (30, "a; b")], [9, 2], [(5, 2, "Bob", False), (31, SKIP, "", True)])
    folder, _ = there_and_back(place, form, form, filled)
    if form == "folders":
        with zipfile.ZipFile(folder / "images.zip") as archive:
            names = archive.namelist()
            assert sum(name.endswith(".png") for name in names) == 25
            assert (
                archive.read(next(n for n in names if n.startswith("cat/000000-")))
                == (filled.dataset.train.original(0)[0])
            )


@pytest.mark.parametrize("form", list(FORMATS))
def test_the_run_card_says_what_it_was_made_of(place, form):
    filled = another(place[1])
    tell(filled, (0, 1), (1, SKIP))
    folder = place[2] / f"card-{form}"
    write(filled, folder, form)
    card = json.loads((folder / CARD).read_text())
    rev, head = filled.store.label_log(filled.id)
    assert card["label_log"] == {"last_event": rev, "hash": head}
    assert card["labels"]["state_hash"] == state(filled)
    assert card["dataset"]["fingerprint"] == filled.dataset.fingerprint
    assert card["seeds"]["seed"] == filled.config.seed
    assert card["config"]["data"]["dataset"].startswith("folder:")
    assert card["repeat"].startswith("python -m al_core run ")
    assert "numpy" in card["versions"]


def test_a_zip_of_an_export_is_read_as_the_export(place, tmp_path):
    filled = another(place[1])
    tell(filled, (0, 1), (5, 2))
    write(filled, tmp_path / "out", "coco")
    zipped(tmp_path / "out", tmp_path / "out.zip")
    (tmp_path / "work").mkdir()
    content = read(tmp_path / "out.zip", workspace=tmp_path / "work")
    assert content.format == "coco"
    assert labels.plan(another(place[1]), content).values == {0: 1, 5: 2}


def test_every_image_is_exported_where_that_is_asked_for(place, tmp_path):
    filled = another(place[1])
    tell(filled, (0, 1))
    write(filled, tmp_path, "csv", every=True)
    content = read(tmp_path / "labels.csv")
    assert len(content.rows) == len(filled.dataset.train)
    assert [row.file for row in content.rows] == [
        filled.dataset.train.file_name(i) for i in range(len(filled.dataset.train))
    ]


def test_held_back_answers_go_back_into_a_hold_back_and_chosen_ones_do_not(place, tmp_path):
    settings, first, _ = place
    config = first.config.changed(query__holdback=0.3)

    def session():
        record = first.store.create_experiment(config)
        facts = {"dataset_key": first.record.dataset_key, "fingerprint": first.record.fingerprint}
        first.store.update_experiment(record.id, **facts)
        return Experiment.open(first.store, settings, record.id)

    filled = session()
    held = filled.reserve[:2].tolist()
    tell(filled, (held[0], 1), (held[1], 2))
    write(filled, tmp_path, "parquet")
    content = read(tmp_path / "labels.parquet")
    fresh = session()
    made = labels.plan(fresh, content)
    assert set(made.values) == set(held)
    (tmp_path / "plain.csv").write_text(f"sample_id,label\n{held[0]},cat\n")
    (refused,) = labels.plan(fresh, read(tmp_path / "plain.csv")).refused
    assert "hold-back" in refused.reason


def test_how_far_people_agree_is_the_same_after_an_export_and_an_import(place, tmp_path):
    """Labels that were replaced, second answers and blind ones: the agreement of people comes along."""
    filled = another(place[1])
    tell(filled, *((i, i % 3) for i in range(12)), client="of-ada", annotator="Ada")
    tell(filled, (0, 4), (1, 4), client="of-bob", annotator="Bob", source=LabelSource.CORRECTION)
    say_beside(filled, [], [], [(i, i % 2, "Bob", False) for i in range(3, 9)] + [(5, 2, "Ada", True)])
    write(filled, tmp_path, "json")
    fresh = another(place[1])
    labels.apply(fresh, labels.plan(fresh, read(tmp_path / "labels.json")))
    one, other = filled.store.log(filled.id), fresh.store.log(fresh.id)
    count = len(CLASSES)
    assert people.pairs(people.ratings(one), count).equals(people.pairs(people.ratings(other), count))
    assert people.pairs(people.ratings(one), count)["images"].tolist() == [6]  # corrections rate nothing
    assert people.per_class(people.ratings(one), count).equals(people.per_class(people.ratings(other), count))
    assert people.consistency(one).equals(people.consistency(other))
    assert people.consistency(one)["images"].tolist() == [1]
    assert {who for words in people.ratings(other).values() for who in words} == {"Ada", "Bob"}


@given(st.text())
def test_a_neutralised_cell_gives_back_its_text_and_is_no_formula(words):
    shown = cell(words)
    assert uncell(shown) == words
    assert shown.lstrip()[:1] not in ("=", "+", "-", "@")
    assert shown[:1] not in ("\t", "\r")
