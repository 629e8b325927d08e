"""Classes that change while labelling: what may be done, what labels count as, how outputs are numbered."""

import numpy as np
import pytest

from al_core.classes import MOST_LETTERS, Classes, Effects, clean_name
from al_core.config import DataConfig
from al_core.data.dataset import Relabeled, Split
from al_core.data.names import Names
from al_core.data.prepare import prepare
from al_core.errors import ClassError
from al_core.records import ClassAct, ClassChange, ClassEvent, LabelSource, LogEvent, Mark, Query, QueryItem
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL
from tests.al_core.exchange_session import make_photos

NAMES = ("shirt", "shoe", "sneaker", "bag")
ADD, RENAME, MERGE, SPLIT = ClassAct.ADD, ClassAct.RENAME, ClassAct.MERGE, ClassAct.SPLIT
RETIRE, RESTORE, GUIDE, PIN = ClassAct.RETIRE, ClassAct.RESTORE, ClassAct.GUIDE, ClassAct.PIN


def made(*changes, names=NAMES):
    """The classes after changes, each of which is checked as an experiment checks it."""
    events = []
    for number, change in enumerate(changes, start=10):
        checked = Classes.of(names, events).checked(change)
        events.append(ClassEvent(number, checked, "me", 0, 0.0))
    return Classes.of(names, events)


def change(class_id, act, **more):
    return ClassChange(class_id, act, **more)


def test_without_changes_everything_is_as_the_data_set_has_it():
    classes = made()
    labels = np.array([0, 3, SKIP, EXCLUDE, UNKNOWN])
    assert classes.plain
    assert classes.last == 0
    assert classes.open == classes.trained == (0, 1, 2, 3)
    assert classes.fold(labels) is labels
    assert classes.outputs_of(labels) is labels
    assert classes.widened(labels) is labels


def test_adding_appends_an_id_and_renaming_keeps_it():
    classes = made(change(0, ADD, name="  boots "), change(2, RENAME, name="trainer"))
    assert classes.names == ("shirt", "shoe", "trainer", "bag", "boots")
    assert classes.find("BOOTS ") == 4
    assert classes.find("sneaker") is None
    assert classes.plain
    assert classes.last == 11


def test_a_merge_folds_labels_through_a_chain_and_a_split_takes_it_back():
    once = made(change(2, MERGE, into=1))
    assert once.fold(np.array([0, 1, 2, 3, SKIP])).tolist() == [0, 1, 1, 3, SKIP]
    assert once.open == once.trained == (0, 1, 3)
    chain = made(change(2, MERGE, into=1), change(0, ADD, name="boots"), change(1, MERGE, into=4))
    assert chain.fold(np.array([1, 2, 4])).tolist() == [4, 4, 4]
    back = made(change(2, MERGE, into=1), change(2, SPLIT))
    assert back.fold(np.array([2])).tolist() == [2]
    assert back.plain


def test_retiring_keeps_the_labels_or_withdraws_them_until_the_class_is_brought_back():
    kept = made(change(3, RETIRE, labels="keep"))
    assert kept.open == (0, 1, 2)
    assert kept.trained == (0, 1, 2, 3)
    assert kept.fold(np.array([3])).tolist() == [3]
    assert kept.given(np.array([3, 0])).tolist() == [UNKNOWN, 0]
    asked = made(change(3, RETIRE, labels="ask"))
    assert asked.open == asked.trained == (0, 1, 2)
    assert asked.fold(np.array([3, 0])).tolist() == [UNKNOWN, 0]
    assert asked.effects.value(3) == UNLABEL
    assert asked.effects.value(SKIP) == SKIP
    assert made(change(3, RETIRE, labels="ask"), change(3, RESTORE)).plain


def test_a_class_that_was_merged_into_a_dropped_one_is_dropped_with_it():
    classes = made(change(2, MERGE, into=1), change(0, ADD, name="x"), change(1, RETIRE, labels="ask"))
    assert classes.effects.value(2) == UNLABEL
    assert classes.trained == (0, 3, 4)


def test_outputs_are_numbered_densely_and_translate_to_ids_and_back():
    classes = made(change(1, MERGE, into=0), change(0, ADD, name="boots"), change(3, RETIRE, labels="ask"))
    assert classes.trained == (0, 2, 4)
    assert classes.trained_names == ("shirt", "sneaker", "boots")
    outputs = classes.outputs_of(np.array([0, 1, 2, 3, 4, SKIP, UNKNOWN]))
    assert outputs.tolist() == [0, 0, 1, UNKNOWN, 2, SKIP, UNKNOWN]
    assert classes.ids_of(np.array([2, 0, 1])).tolist() == [4, 0, 2]
    wide = classes.widened(np.array([[0.2, 0.3, 0.5]], np.float32))
    assert wide.dtype == np.float32
    assert wide.tolist() == [pytest.approx([0.2, 0, 0.3, 0, 0.5])]
    assert classes.widened(np.eye(3)[0], axis=0).tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("before", "wrong", "words"),
    [
        ((), change(0, ADD, name=" Shoe"), "class “shoe” already"),
        ((), change(0, ADD, name="  "), "needs a name"),
        ((), change(0, ADD, name="x" * (MOST_LETTERS + 1)), f"{MOST_LETTERS} are the most"),
        ((), change(0, ADD, name="a\x00b"), "U\\+0000"),
        ((), change(0, RENAME, name="BAG"), "class “bag” already"),
        ((), change(0, RENAME, name="shirt"), "called “shirt” already"),
        ((), change(9, RENAME, name="y"), "no class 9"),
        ((), change(0, MERGE, into=0), "into itself"),
        ((), change(0, MERGE, into=8), "no class 8"),
        ((), change(0, MERGE), "no class to merge it into"),
        ((), change(0, SPLIT), "not merged"),
        ((), change(0, RESTORE), "not retired"),
        ((), change(0, RETIRE), "keep them, or ask them again"),
        ((change(2, MERGE, into=1),), change(1, MERGE, into=2), "“sneaker”, which is in it"),
        ((change(2, MERGE, into=1),), change(2, MERGE, into=0), "has been merged into “shoe”"),
        ((change(2, MERGE, into=1),), change(2, RETIRE, labels="ask"), "has been merged into “shoe”"),
        ((change(2, MERGE, into=1),), change(0, ADD, name="Sneaker"), "merged into “shoe”; take that back"),
        ((change(3, RETIRE, labels="ask"),), change(0, RENAME, name="bag"), "retired already; bring it back"),
        ((change(3, RETIRE, labels="ask"),), change(0, MERGE, into=3), "is retired"),
        ((change(3, RETIRE, labels="ask"),), change(3, RETIRE, labels="ask"), "is retired"),
        (
            (change(3, RETIRE, labels="ask"), change(2, RETIRE, labels="keep")),
            change(1, RETIRE, labels="ask"),
            "two classes are left",
        ),
        (
            (change(3, RETIRE, labels="ask"), change(2, RETIRE, labels="keep")),
            change(1, MERGE, into=0),
            "two classes are left",
        ),
        ((), change(0, GUIDE, text="x" * 4001), "4,000 are the most"),
        ((), change(0, PIN, text="good"), "none is named"),
        ((), change(0, PIN, text="fine", sample_id=3), "good, borderline"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_words(before, wrong, words):
    with pytest.raises(ClassError, match=words):
        made(*before).checked(wrong)


def test_names_are_trimmed_and_composed():
    assert clean_name(" cafe\u0301 ") == "café"
    with pytest.raises(ClassError, match=r"U\+2028"):
        clean_name("a\u2028b")


def test_names_that_a_data_set_tells_apart_by_case_stay_two_classes():
    classes = made(names=("a", "A", "b"))
    assert classes.find("A") == 1
    assert classes.find("a") == 0
    with pytest.raises(ClassError, match="already"):
        classes.checked(change(0, ADD, name="B"))


def test_guidelines_and_examples_change_no_class():
    classes = made(change(1, GUIDE, text="has laces"), change(1, PIN, text="good", sample_id=3))
    assert classes == made()


def test_words_and_guesses_count_as_their_classes_do_and_marks_stay_as_they_are():
    effects = Effects({0: 2, 2: 1}, frozenset({3}), frozenset({3}))

    def said(value, mark=None):
        event = LogEvent(1, 7, value, LabelSource.HUMAN, "Ann", 0, "c", 1, 0.0, None, mark, None)
        return effects.said(event).value

    assert [said(v) for v in (0, 1, 3, SKIP)] == [1, 1, UNLABEL, SKIP]
    assert (said(2, Mark.OPINION), said(0, Mark.FLAG), said(1, Mark.NOTE)) == (1, 0, 1)
    items = (QueryItem(0, 7, 0.5, ((0, 0.5), (3, 0.3), (1, 0.2))),)
    ahead = (QueryItem(1, 8, None, ((2, 0.9),)),)
    query = Query("e", 0, "margin", items, 9, "h", 0.0, ahead)
    counted = effects.guessed(query)
    assert counted.items[0].guesses == ((1, 0.5), (3, 0.3), (1, 0.2))
    assert counted.ahead[0].guesses == ((1, 0.9),)
    assert Effects.of([]).guessed(query) is query


def test_predictions_count_as_the_class_that_theirs_was_merged_into_also_where_it_was_dropped():
    merged = Classes(("a", "b", "c", "d"), 4, Effects({0: 2, 2: 1}, frozenset({3}), frozenset({3})))
    ids = np.array([0, 1, 2, 3, UNKNOWN], np.int32)
    assert merged.counted(ids).tolist() == [1, 1, 1, 3, UNKNOWN]
    assert merged.counted(ids).dtype == np.int32
    assert Classes(("a", "b"), 2).counted(ids) is ids


def test_effects_of_nothing_are_none():
    assert not Effects.of([])
    assert Effects.of([]).value(3) == 3


def test_a_data_set_is_told_anew_with_its_pictures_untouched(settings):
    from al_core.config import DataConfig

    dataset = prepare(settings, DataConfig())
    names = dataset.classes
    classes = made(
        change(1, MERGE, into=7), change(0, ADD, name="ten"), change(3, RETIRE, labels="ask"), names=names
    )
    told, trained = classes.relabeled(dataset), classes.as_trained(dataset)
    before, after = dataset.train.labels, told.train.labels
    assert told.classes == (*names, "ten")
    assert trained.classes == classes.trained_names
    assert (after[before == 1] == 7).all()
    assert (after[before == 3] == UNKNOWN).all()
    assert (after[before == 5] == 5).all()
    assert told.has_truth
    assert told.fingerprint == dataset.fingerprint
    assert np.array_equal(classes.ids_of(trained.train.labels[before == 7]), after[before == 7])
    ids = np.array([4, 2, 4])
    assert np.array_equal(told.train.read(ids), dataset.train.read(ids))
    assert told.test.encoded(0, None) == dataset.test.encoded(0, None)
    assert told.train.original(5) == dataset.train.original(5)
    assert told.train.file_name(5) == dataset.train.file_name(5)


def test_a_relabeled_split_is_the_split_in_all_but_its_labels(settings, tmp_path):
    make_photos(tmp_path / "photos")
    data = DataConfig(dataset=f"folder:{tmp_path / 'photos'}", test_fraction=0.0)
    split = prepare(settings, data, classes=NAMES).train
    relabeled = Relabeled(split, np.zeros_like(split.labels))
    own = {name for name in vars(Split) if not name.startswith("_")}
    ids = np.array([3, 0])
    asked = {
        "read": (ids,), "sizes": (ids,), "encoded": (3, 8), "original": (3,), "file_name": (3,),
        "keep_sizes": (),
    }  # fmt: skip
    for name in own - {"at"}:
        there, here = getattr(split, name), getattr(relabeled, name)
        if callable(there):
            there, here = there(*asked[name]), here(*asked[name])
        np.testing.assert_equal(*(list(x) if isinstance(x, Names) else x for x in (there, here)))
    larger = relabeled.at(9)
    assert (larger.image_size, split.at(9).image_size, larger.labels[0]) == (9, 9, 0)
    assert list(larger.names) == list(split.names)
