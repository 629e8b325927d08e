"""Tags, asks by hand and further answers in an import: the difference first, one commit, and its undo."""

import json

import pytest

from al_core import by_hand
from al_core.exchange import labels
from al_core.exchange.beside import Beside
from al_core.exchange.reading import read
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource, Mark
from al_core.types import UNLABEL
from tests.al_core.exchange_session import CLASSES, make_photos, open_session, tell


def content(tmp_path, *rows):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(list(rows)), encoding="utf-8")
    return read(path)


def beside(session):
    return Beside.of(session, session.store.label_rev(session.id))


def opinion(session, i, value, who, client):
    op = LabelOp(1, i, value, mark=Mark.OPINION)
    session.store.add_labels(
        session.id, [op], client=client, source=LabelSource.HUMAN, round=-1, annotator=who
    )


def test_the_difference_says_what_each_person_would_have_said_and_what_they_said_before(session, tmp_path):
    by_hand.tag(session, [1], "red", client="t")
    opinion(session, 1, 0, "Bob", "b")
    rows = content(
        tmp_path,
        {"sample_id": 1, "label": "cat", "tags": ["red", "far"], "asked_for": [[-1, 0]],
         "opinions": [{"by": "Bob", "label": "@x"}, {"by": "Ada", "answer": "skipped", "again": True}]},
        {"sample_id": 2, "tags": "blurred; far"},
    )  # fmt: skip
    made = labels.plan(session, rows)
    assert made.refused == []
    told = [(d.kind, d.sample_id, d.was, d.becomes(made.classes)) for d in made.beside]
    assert told == [
        ("tag", 1, "", "far"), ("asked", 1, "", "initial set"), ("opinion", 1, "cat", "Bob: @x"),
        ("opinion", 1, "", "Ada: skipped, asked again"), ("tag", 2, "", "blurred"), ("tag", 2, "", "far"),
    ]  # fmt: skip
    assert [made.count(kind) for kind in ("added", "tag", "asked", "opinion")] == [1, 3, 1, 2]
    before = session.store.label_log(session.id)
    careful = labels.plan(session, rows, existing="keep")
    assert [d.becomes(made.classes) for d in careful.beside if d.kind == "opinion"] == [
        "Ada: skipped, asked again"
    ]
    assert session.store.label_log(session.id) == before


def test_an_undo_takes_all_of_it_back_and_leaves_what_others_said_since(session, tmp_path):
    opinion(session, 1, 0, "Bob", "b")
    by_hand.tag(session, [3], "far", client="t")
    was = beside(session)
    rows = content(
        tmp_path,
        {"sample_id": 1, "opinions": [{"by": "Bob", "label": "@x"}, {"by": "Eve", "label": "cat"}],
         "tags": ["red"], "asked_for": [[-1, 3]]},
        {"sample_id": 2, "opinions": [{"by": "Bob", "label": "@x"}], "tags": ["far"]},
    )  # fmt: skip
    token = labels.apply(session, labels.plan(session, rows))
    assert {e.annotator for e in session.store.opinions(session.id)} == {"Bob", "Eve"}
    assert labels.imports(session)[0].num_marks == 6
    opinion(session, 2, 1, "Bob", "b2")
    undone = labels.undo(session, token)
    assert (undone.labels, undone.marks) == (0, 5)
    now = beside(session)
    assert now.tags == was.tags
    assert now.asked == {}
    assert now.opinions[1] == was.opinions[1]
    assert [(o.by, o.value) for o in now.opinions[2]] == [("Bob", 1)]
    assert session.store.check() == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tags": ["x" * 61]}, "has not 1 to 60 letters"),
        ({"asked_for": [[4, 0]]}, "asked for by hand after round 4; this session has reached"),
        ({"opinions": [{"by": "Bob", "label": "zebra"}]}, "the opinion of 'Bob': 'zebra' is no class"),
    ],
)
def test_a_part_that_cannot_be_is_refused_by_its_row_and_the_rest_is_taken(session, tmp_path, more, reason):
    made = labels.plan(session, content(tmp_path, {"sample_id": 1, "label": "cat", **more}))
    (refused,) = made.refused
    assert refused.place == "entry 1"
    assert reason in refused.reason
    assert made.values == {1: 0}
    assert not made.beside


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tags": [1]}, "tags are a list of texts"),
        ({"asked_for": [["a", 0]]}, "asked_for is a list of [round, place]"),
        ({"asked_for": "soon"}, "asked_for is a list of [round, place]"),
        ({"opinions": "cat"}, "opinions are a list"),
        ({"opinions": [{"by": "Bob"}]}, "neither a label nor skipped or excluded"),
        ({"opinions": [{"by": "B\u0000", "label": "cat"}]}, "by a name of at most 200 letters"),
        ({"opinions": [{"by": "B", "label": "cat"}, {"by": "B", "label": "@x"}]}, "two opinions of 'B'"),
        ({"tags": ["a"] * 1001}, "at most 1000"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(session, tmp_path, more, reason):
    made = labels.plan(session, content(tmp_path, {"sample_id": 1, "label": "cat", **more}))
    assert reason in made.refused[0].reason
    assert made.empty


def test_what_is_set_aside_is_not_asked_for_by_a_file(settings, tmp_path):
    make_photos(tmp_path / "photos")
    session = open_session(settings, tmp_path / "photos", query__holdback=0.3)
    held = int(session.reserve[0])
    made = labels.plan(session, content(tmp_path, {"sample_id": held, "tags": ["a"], "asked_for": [[-1, 0]]}))
    assert "which it cannot be here: it is kept for the hold-back" in made.refused[0].reason
    assert [d.kind for d in made.beside] == ["tag"]
    session.store.close()


def test_new_classes_are_added_with_the_import_where_that_is_asked_for(session, tmp_path):
    rows = content(
        tmp_path, {"sample_id": 0, "label": "zebra"}, {"sample_id": 1, "label": "Zebra"},
        {"sample_id": 2, "label": "cat", "opinions": [{"by": "Bob", "label": "emu"}]},
        {"sample_id": 3, "label": "bad\u0007name"}, {"sample_id": 9999, "label": "never"},
    )  # fmt: skip
    refused = labels.plan(session, rows)
    assert refused.unknown == {"zebra": 1, "Zebra": 1, "emu": 1, "bad\u0007name": 1}
    assert refused.new == {}
    one = labels.plan(session, rows, add=["zebra"])
    assert (list(one.new), one.unknown) == (["zebra"], {"Zebra": 1, "emu": 1, "bad\u0007name": 1})
    made = labels.plan(session, rows, add=True)
    assert list(made.new) == ["zebra", "emu"]
    assert ["bad" in r.reason and "U+0007" in r.reason for r in made.refused].count(True) == 1
    assert made.changes[0].becomes == "zebra"
    assert len(session.dataset.classes) == len(CLASSES)  # a plan writes nothing
    labels.apply(session, made)
    names = session.dataset.classes
    assert names[len(CLASSES) :] == ("zebra", "emu")
    current = {i: names[e.value] for i, e in session.store.current_labels(session.id).items()}
    assert current == {0: "zebra", 1: "zebra", 2: "cat"}
    assert [names[e.value] for e in session.store.opinions(session.id)] == ["emu"]
    assert labels.plan(session, rows).unknown == {"bad\u0007name": 1}
    assert session.store.check() == []


def test_a_class_that_is_retired_is_not_given_by_a_file_and_a_merged_one_counts_as_the_other(
    session, tmp_path
):
    tell(session, (5, 3))
    session.change_class(ClassChange(3, ClassAct.RETIRE, labels="keep"))
    session.change_class(ClassChange(1, ClassAct.MERGE, into=0))
    tell(session, (6, 0))
    rows = content(
        tmp_path, {"sample_id": 4, "label": "@x"}, {"sample_id": 5, "label": "@x"},
        {"sample_id": 6, "label": "=dog()"},
    )  # fmt: skip
    made = labels.plan(session, rows)
    assert [r.place for r in made.refused] == ["entry 1"]
    assert "is retired; bring it back" in made.refused[0].reason
    assert [(c.kind, c.sample_id) for c in made.changes] == [("same", 5), ("same", 6)]
    assert UNLABEL not in made.values.values()
