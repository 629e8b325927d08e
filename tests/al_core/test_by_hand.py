"""Images that a person asks for, and tags: events of the label log, laid over what the strategy asked."""

import pytest

from al_core import by_hand
from al_core.cli.verify import check_experiment
from al_core.errors import DataError
from al_core.experiment import Experiment
from al_core.records import ExperimentStatus, LabelOp, LabelSource, Mark
from al_core.types import INITIAL_ROUND, SKIP
from tests.al_core.worker.conftest import config, prepared, settings, store, watermarked, work

__all__ = ["config", "prepared", "settings", "store", "watermarked", "work"]


@pytest.fixture
def asking(store, config, work):
    """A person's session after round 0; twelve images wait."""
    return work(store.create_experiment(config.changed(oracle="human", query__strategy="margin")).id)[1]


def ids_of(query):
    return [item.sample_id for item in query.items]


def free(experiment, count):
    return experiment.pool().unlabeled_ids[:count].tolist()


def label(experiment, ids, *, client="tab", start=1):
    truth = experiment.dataset.train.labels
    ops = [LabelOp(n, i, int(truth[i])) for n, i in enumerate(ids, start=start)]
    experiment.store.add_labels(experiment.id, ops, client=client, source=LabelSource.HUMAN, round=0)


def test_what_is_asked_for_stands_in_front_and_the_strategy_s_query_stays_as_it_was(store, asking):
    own = store.query(asking.id, 0)
    mine = free(asking, 3)
    known = by_hand.ask_for(asking, [*mine, own.items[4].sample_id], client="c", annotator="ann")
    assert (known.round, known.left_out) == (0, 0)
    shown = asking.pending()
    assert ids_of(shown)[:4] == [*mine, own.items[4].sample_id]
    assert len(shown.items) == len(own.items) + 3
    assert len(set(ids_of(shown))) == len(shown.items)
    assert shown.items[3] == own.items[4], "a pick of the strategy keeps what is known of it"
    assert shown.items[0].score is None
    assert by_hand.own_hash(shown.hash) == own.hash
    assert shown.hash != own.hash
    assert store.query(asking.id, 0) == own
    assert by_hand.queries_of(store, asking.id)[-1] == shown
    assert asking.step().total == len(shown.items)
    events = [e for e in store.mark_events(asking.id) if e.mark is Mark.ASK]
    assert {(e.annotator, e.round) for e in events} == {("ann", 0)}
    assert asking.marks() == {}
    assert store.check() == []
    assert list(check_experiment(store, asking)) == []


def test_they_are_labeled_and_trained_on_like_others_and_change_no_other_draw(store, asking, config, work):
    twin = work(store.create_experiment(asking.config).id)[1]
    mine = free(asking, 3)
    by_hand.ask_for(asking, mine, client="c")
    label(asking, ids_of(asking.pending()))
    label(twin, [*mine, *ids_of(twin.pending())])
    one, other = work(asking.id)[1], work(twin.id)[1]
    assert [r.num_labeled for r in store.rounds(one.id)] == [9, 24]
    assert store.rounds(one.id)[1].artefacts["weights"] == store.rounds(other.id)[1].artefacts["weights"]


def test_what_has_an_answer_or_is_set_aside_is_left_out_and_asking_can_be_taken_back(store, asking):
    labeled = asking.pool().labeled_ids[:2].tolist()
    mine = free(asking, 2)
    before = asking.pending()
    known = by_hand.ask_for(asking, [*labeled, *mine, mine[0]], client="c")
    assert (known.ids, known.left_out) == (tuple(mine), 2)
    again = by_hand.ask_for(asking, mine, client="d")
    assert (again.ids, again.left_out) == ((), 0)
    by_hand.take_back(asking, known, client="e")
    assert asking.pending() == before


def test_what_was_skipped_waits_for_an_answer_again_until_asking_is_taken_back(store, asking):
    first, second = ids_of(asking.pending())[:2]
    skips = [LabelOp(1, first, SKIP), LabelOp(2, second, SKIP)]
    store.add_labels(asking.id, skips, client="tab", source=LabelSource.HUMAN, round=0)
    known = by_hand.ask_for(asking, [first, second], client="c", annotator="ann")
    assert (known.ids, known.reopened, known.left_out) == ((first, second), (first, second), 0)
    assert not {first, second} & set(asking.answers())
    assert asking.step().done == 0
    label(asking, [second], start=3)
    by_hand.take_back(asking, known, client="d")
    assert asking.answers()[first].value == SKIP
    assert asking.answers()[second].value >= 0
    assert store.check() == []


def test_while_a_round_trains_the_next_query_is_meant(store, asking):
    label(asking, ids_of(asking.pending()))
    store.update_experiment(asking.id, status=ExperimentStatus.TRAINING)
    fresh = Experiment.open(store, asking.settings, asking.id)
    mine = free(fresh, 2)
    assert by_hand.ask_for(fresh, mine, client="c").round == 1
    assert ids_of(by_hand.query_of(store, asking.id, 0)) == ids_of(store.query(asking.id, 0))
    assert by_hand.standing(store.mark_events(asking.id)) == {1: mine}


def test_a_session_that_has_ended_or_not_begun_says_so(store, config, work, settings):
    new = Experiment.open(store, settings, store.create_experiment(config).id)
    with pytest.raises(DataError, match="not begun"):
        by_hand.ask_for(new, [1], client="c")
    _, ended = work(new.id)
    with pytest.raises(DataError, match="fork it"):
        by_hand.ask_for(ended, [1], client="c")
    assert store.mark_events(new.id) == []


def test_tags_are_several_an_image_and_taken_one_by_one(store, asking):
    assert by_hand.tag(asking, [5, 6], " odd  one ", client="a") == [5, 6]
    assert by_hand.tag(asking, [6, 7], "odd one", client="b") == [7]
    assert by_hand.tag(asking, [6], "blurred", client="c", annotator="ann") == [6]
    assert by_hand.tags(store, asking.id) == {5: ("odd one",), 6: ("odd one", "blurred"), 7: ("odd one",)}
    assert by_hand.tag(asking, [5, 6], "odd one", on=False, client="d") == [5, 6]
    assert by_hand.tags(store, asking.id) == {6: ("blurred",), 7: ("odd one",)}
    assert asking.marks() == {}
    for text in ("", "  ", "x" * 61):
        with pytest.raises(DataError, match="1 to 60 letters"):
            by_hand.tag(asking, [5], text, client="e")
    assert store.current_labels(asking.id).keys() == set(ids_of(store.query(asking.id, INITIAL_ROUND)))
    assert store.check() == []


def test_with_two_people_at_the_session_they_are_handed_out_first(store, asking):
    mine = free(asking, 5)
    by_hand.ask_for(asking, mine, client="c", annotator="ann")
    one = store.take_seat(asking.id, "ann", round=0)
    two = store.take_seat(asking.id, "bob", round=0)
    assert one.left == two.left == len(asking.pending().items)
    one = store.take_seat(asking.id, "ann", round=0)
    assert set(mine) <= {*one.leased, *two.leased}
    assert not set(one.leased) & set(two.leased)
