import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from al_core.records import LabelEvent, LabelSource, Mark, MarkEvent
from al_core.standing import SOURCES, Standing
from al_core.types import EXCLUDE, SKIP, UNLABEL


def event(number, sample_id, value, *, annotator="", source=LabelSource.HUMAN):
    return LabelEvent(number, "e", sample_id, value, source, annotator, 0, "c", number, float(number))


def mark(number, sample_id, kind, on=True, text=""):
    return MarkEvent(number, sample_id, kind, on, text, "", 0, float(number))


answers = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from([0, 1, 2, SKIP, EXCLUDE, UNLABEL]), st.sampled_from("ab"),
        st.sampled_from(SOURCES),
    ),
    max_size=40,
)  # fmt: skip


@given(answers, st.lists(st.integers(0, 40), max_size=4))
def test_folding_in_pieces_gives_what_folding_at_once_gives(said, cuts):
    events = [
        event(n, i, value, annotator=who, source=source)
        for n, (i, value, who, source) in enumerate(said, start=1)
    ]
    piecewise, start = Standing(), 0
    for cut in [*sorted(cuts), len(events)]:
        part = events[start:cut]
        if part:
            piecewise = piecewise.advance(part, part[-1].id)
        start = max(start, cut)
    last = {e.sample_id: e for e in events}
    assert piecewise.ids.tolist() == sorted(last)
    for row, i in enumerate(piecewise.ids.tolist()):
        assert piecewise.values[row] == last[i].value
        assert piecewise.names[piecewise.annotators[row]] == last[i].annotator
        assert SOURCES[piecewise.sources[row]] is last[i].source
        assert piecewise.times[row] == last[i].at
    assert piecewise.hash("xyz") == Standing().advance(events, len(events)).hash("xyz")


def test_marks_stand_until_they_are_taken_back():
    found = Standing().with_marks(
        [mark(1, 5, Mark.FLAG), mark(2, 3, Mark.NOTE, text="odd"), mark(3, 5, Mark.FLAG, on=False)]
    )
    assert found.marks_on(5) == []
    assert found.marks_on(3) == [Mark.NOTE]
    assert found.notes == {3: "odd"}
    assert found.touched.tolist() == [3]


def test_the_hash_changes_with_answer_mark_note_and_name_of_the_class():
    plain = Standing().advance([event(1, 4, 0)], 1)
    others = [
        Standing().advance([event(1, 4, 1)], 1),
        Standing().advance([event(1, 4, SKIP)], 1),
        Standing().advance([event(1, 3, 0)], 1),
        plain.with_marks([mark(2, 4, Mark.FLAG)]),
        plain.with_marks([mark(2, 4, Mark.NOTE, text="a")]),
        plain.with_marks([mark(2, 4, Mark.NOTE, text="b")]),
    ]
    hashes = [plain.hash("xy"), plain.hash("zy"), *(other.hash("xy") for other in others)]
    assert len(set(hashes)) == len(hashes)


def test_by_whom_and_when_is_no_part_of_the_hash():
    one = Standing().advance([event(1, 4, 0, annotator="a")], 1)
    other = Standing().advance([event(9, 4, 0, annotator="b", source=LabelSource.IMPORT)], 9)
    assert one.hash("xy") == other.hash("xy")


def test_an_image_without_a_word_has_no_row():
    found = Standing().advance([event(1, 4, 0), event(2, 9, UNLABEL)], 2)
    assert found.row(3) is None
    assert found.row(5) is None
    assert found.row(9) == 1
    assert np.array_equal(found.answered, [True, False])
