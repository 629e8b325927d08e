"""Several people at one session: seats and leases over each kind of store, alone, in turn and at once."""

import multiprocessing
import os
import signal
import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from al_core.config import ExperimentConfig
from al_core.errors import NotFound, StoreError
from al_core.records import REASK, ClassAct, ClassChange, LabelOp, LabelSource, Mark, Query, QueryItem
from al_core.store import open_store, seats
from al_core.types import SKIP, UNLABEL
from tests.stores import migrated_file, place, postgres, store

__all__ = ["migrated_file", "place", "postgres", "store"]

HUMAN = LabelSource.HUMAN
COUNT = 60


def ask(store, count=COUNT, round=-1):
    """An experiment whose query of images 100, 101, ... waits."""
    made = store.create_experiment(ExperimentConfig()).id
    store.submit_job("advance", experiment_id=made)
    _, lease = store.claim_job("worker")
    items = tuple(QueryItem(rank, 100 + rank, None) for rank in range(count))
    store.put_query(lease, Query(made, round, "random", items, count, "hash", 0.0))
    return made


@pytest.fixture
def session(store):
    return ask(store)


class Clock:
    """The database's clock in a test's hand."""

    def __init__(self, monkeypatch, store):
        self.now = 1_000_000.0
        monkeypatch.setattr(type(store._db), "now", lambda db, connection: self.now)


@pytest.fixture
def clock(monkeypatch, store):
    return Clock(monkeypatch, store)


class Person:
    """One who labels a session's query, numbering the answers as a browser does."""

    def __init__(self, store, session, name, **more):
        self.store, self.session, self.name, self.n, self.more = store, session, name, 0, more

    def sit(self, **more):
        self.share = self.store.take_seat(self.session, self.name, round=-1, **self.more | more)
        return self.share

    def say(self, *answers, shared=True):
        ops = []
        for sample_id, value in answers:
            self.n += 1
            ops.append(LabelOp(self.n, sample_id, value))
        return self.store.add_labels(
            self.session, ops, client=f"tab of {self.name}", source=HUMAN, round=-1, annotator=self.name,
            shared=shared,
        )  # fmt: skip


def two(store, session, **more):
    ann, bob = (Person(store, session, name, **more) for name in ("Ann", "Bob"))
    ann.sit()
    bob.sit()
    ann.sit()
    return ann, bob


def winners(store, session):
    return {i: (e.annotator, e.value) for i, e in store.current_labels(session).items() if e.value != UNLABEL}


def test_a_person_alone_is_asked_the_whole_query_and_holds_nothing(store, session):
    share = Person(store, session, "Ann").sit()
    assert (share.leased, share.seconds, share.left) == (None, (), COUNT)
    assert [seat.annotator for seat in share.people] == ["Ann"]
    with store._db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM item_lease").scalar() == 0


def test_the_second_comer_leaves_the_first_the_images_before_them(store, session):
    ann, bob = two(store, session)
    assert ann.share.leased == tuple(range(100, 115))  # half of an equal part of 60
    assert bob.share.leased == tuple(range(115, 130))
    assert [seat.annotator for seat in bob.share.people] == ["Ann", "Bob"]
    assert bob.sit().leased == bob.share.leased  # asking again moves nothing


def test_who_has_half_left_takes_more_and_never_what_another_holds(store, session):
    ann, bob = two(store, session)
    ann.say(*((i, 1) for i in ann.share.leased[:5]))
    assert ann.sit().leased == tuple(range(105, 115))
    ann.say(*((i, 1) for i in ann.share.leased[:5]))
    assert not set(ann.sit().leased) & set(bob.share.leased)
    assert len(ann.share.leased) == 13  # 50 are open now
    assert {seat.annotator: seat.answered for seat in ann.share.people} == {"Ann": 10, "Bob": 0}


@pytest.mark.slow
def test_two_people_answer_a_thousand_images_once_each(store):
    session = ask(store, 1000)
    ann, bob = two(store, session)
    for turn in range(1000):
        who = (ann, bob, ann)[turn % 3]  # Ann is twice as fast
        if not who.sit().leased:
            break
        who.say(*((i, 3) for i in who.share.leased[:7]))
    for who in (ann, bob):
        while who.sit().leased:
            who.say(*((i, 3) for i in who.share.leased))
    events = store.label_events(session)
    assert Counter(e.sample_id for e in events) == dict.fromkeys(range(100, 1100), 1)
    assert store.opinions(session) == []
    assert min(Counter(e.annotator for e in events).values()) > 250
    assert store.check() == []


def test_who_would_have_nothing_gets_what_others_would_come_to_last(store):
    session = ask(store, 28)
    ann, bob = two(store, session)  # seven each
    people = [Person(store, session, f"p{k}") for k in range(3)]  # five, four and four: all is held
    for person in people:
        person.sit()
    late = Person(store, session, "late")
    held = [set(person.sit().leased) for person in (late, ann, bob, *people)]
    assert all(held)
    assert sum(map(len, held)) == len(set.union(*held))
    assert {100, 101, 102, 103} <= held[1]  # what Ann is at stays hers


def test_an_answer_to_what_another_holds_is_kept_beside_and_named(store, session):
    ann, bob = two(store, session)
    theirs = bob.share.leased[0]
    ack = ann.say((100, 1), (theirs, 2))
    assert ack.aside == {theirs: "Bob"}
    assert winners(store, session) == {100: ("Ann", 1)}
    (opinion,) = store.opinions(session)
    assert (opinion.sample_id, opinion.value, opinion.annotator) == (theirs, 2, "Ann")
    assert bob.say((theirs, 4)).aside == {}
    assert winners(store, session)[theirs] == ("Bob", 4)
    assert store.mark_events(session) == []
    assert store.check() == []


def test_an_answer_to_what_another_has_just_answered_stays_beside_also_when_it_is_changed(store, session):
    ann, bob = two(store, session)
    bob.say((115, 4))
    bob.sit()
    assert ann.say((115, 2)).aside == {115: "Bob"}
    store.leave_seat(session, "Bob")
    ann.say((115, UNLABEL))  # an undo of her own word, not of Bob's
    assert winners(store, session) == {115: ("Bob", 4)}
    assert [e.value for e in store.opinions(session)] == [2, UNLABEL]


def test_an_opinion_on_an_image_that_is_open_again_does_not_keep_its_person_from_labeling_it(store, session):
    ann, bob = two(store, session)
    bob.say((115, 4))
    bob.sit()
    assert ann.say((115, 2)).aside == {115: "Bob"}
    bob.say((115, UNLABEL))
    store.leave_seat(session, "Bob")
    assert ann.sit().left == COUNT
    ann.say((115, 3), (115, UNLABEL), (115, 5))
    assert winners(store, session) == {115: ("Ann", 5)}
    assert ann.sit().left == COUNT - 1


def test_an_opinion_can_be_taken_back_when_no_label_stands(store, session):
    ann, _ = two(store, session)
    ann.say((115, 2))  # Bob holds it
    store.leave_seat(session, "Bob")
    ann.say((115, UNLABEL))
    assert [e.value for e in store.opinions(session)] == [2, UNLABEL]


@pytest.mark.parametrize("sits", [True, False])
def test_who_gave_a_second_answer_can_label_the_image_when_its_class_is_asked_again(store, session, sits):
    ann, bob = (Person(store, session, name, overlap={100}) for name in ("Ann", "Bob"))
    ann.sit()
    ann.say((100, 1))
    store.leave_seat(session, "Ann")
    assert bob.sit().seconds == (100,)
    bob.say((100, 1))
    retired = ClassChange(1, ClassAct.RETIRE, labels="ask")
    assert store.change_class(session, retired, seen=0, round=-1)
    assert 100 not in winners(store, session)
    if sits:
        bob.sit()
    bob.say((100, 2))
    assert winners(store, session)[100] == ("Bob", 2)


def test_a_blind_second_look_at_ones_own_label_leaves_later_answers_answers(store, session):
    ann, bob = two(store, session)
    ann.say((100, 1))
    again = LabelOp(1, 100, 2, mark=Mark.OPINION, detail={"how": REASK})
    store.add_labels(session, [again], client="review", source=HUMAN, round=-1, annotator="Ann")
    store.leave_seat(session, "Ann")
    bob.say((100, 3))
    store.leave_seat(session, "Bob")
    ann.say((100, 2))
    assert winners(store, session) == {100: ("Ann", 2)}


def test_an_image_that_is_opened_again_is_still_its_persons(store, session):
    ann, bob = two(store, session)
    ann.say((100, 1))
    ann.sit()
    ann.say((100, UNLABEL))
    bob.say(*((i, 1) for i in bob.share.leased))
    assert 100 not in bob.sit().leased
    assert 100 in ann.sit().leased


def test_alone_again_a_person_may_change_what_another_answered(store, session):
    ann, bob = two(store, session)
    bob.say((115, 4))
    store.leave_seat(session, "Bob")
    assert ann.sit().leased is None
    assert ann.say((115, 5)).aside == {}
    assert winners(store, session)[115] == ("Ann", 5)


def test_labels_that_are_not_shared_are_written_as_ever(store, session):
    _, bob = two(store, session)
    theirs = bob.share.leased[0]
    ops = [LabelOp(1, theirs, 7)]
    store.add_labels(session, ops, client="x", source=LabelSource.CORRECTION, round=-1, annotator="Ann")
    assert winners(store, session) == {theirs: ("Ann", 7)}


def test_a_silent_person_loses_what_they_held_and_begins_anew(store, session, clock):
    ann, bob = two(store, session)
    clock.now += seats.SILENCE - 1
    assert bob.sit().leased == tuple(range(115, 130))
    clock.now += 2  # Ann has said nothing for longer
    assert bob.sit().leased is None
    assert bob.say((100, 1)).aside == {}
    carl = Person(store, session, "Carl")
    carl.sit()
    bob.sit()
    assert 101 in bob.share.leased + carl.share.leased
    late = ann.say((101, 2))  # her lease is void, and another holds it now
    assert late.aside == {101: "Bob" if 101 in bob.share.leased else "Carl"}
    for _ in range(2):  # who comes last may get what the first held beyond their part
        held = [set(who.sit().leased) for who in (ann, bob, carl)]
    assert sum(map(len, held)) == len(set.union(*held))


def test_labels_and_signs_of_life_renew_a_seat_and_idling_does_not(store, session, clock):
    ann, bob = two(store, session)
    for _ in range(5):
        clock.now += seats.SILENCE * 0.8
        ann.say((ann.share.leased[0], 1))
        bob.sit(idle=1000)
    assert [seat.annotator for seat in store.seats(session)] == ["Ann"]
    assert [seat.annotator for seat in store.seats(session, gone=True)] == ["Ann", "Bob"]
    assert bob.sit(idle=1000).leased == ()  # away: the page speaks, but what it held is free
    assert bob.sit().leased


def test_two_browsers_under_one_name_are_told(store, session, clock):
    for browser, twin in (("one", False), ("one", False), ("two", True), ("", True), ("one", True)):
        (seat,) = store.take_seat(session, "", round=-1, browser=browser).people
        assert seat.twin is twin
    clock.now += seats.TWIN + 1
    (seat,) = store.take_seat(session, "", round=-1, browser="one").people
    assert seat.twin is False


def test_pace_is_shown_where_it_is_shared(store, session):
    Person(store, session, "Ann").sit(pace=42, browser="tab")
    Person(store, session, "Ann").sit()  # the server's own word keeps what the page said
    share = Person(store, session, "Bob").sit(browser="tab")
    assert [seat.pace for seat in share.people] == [42, None]


def test_a_second_answer_is_asked_of_another_and_never_replaces_the_first(store, session):
    overlap = {100, 101, 120}
    ann, bob = two(store, session, overlap=overlap)
    assert bob.share.seconds == ()
    ann.say(*((i, 1) for i in ann.share.leased))
    bob.say(*((i, 2) for i in bob.share.leased[:10]))
    assert bob.sit().seconds == (100, 101)
    assert ann.sit().seconds == ()  # her part is full of first answers
    ann.say(*((i, 1) for i in ann.share.leased[:3]))
    assert ann.sit().seconds == (120,)
    ack = bob.say((100, 3), (101, SKIP))
    assert ack.aside == {}  # it was asked for
    assert winners(store, session)[100] == ("Ann", 1)
    assert [(e.sample_id, e.value, e.annotator) for e in store.opinions(session)] == [
        (100, 3, "Bob"), (101, SKIP, "Bob"),
    ]  # fmt: skip
    assert bob.sit().seconds == ()
    assert ann.sit().seconds == (120,)
    bob.say((100, UNLABEL))
    assert bob.sit().seconds == (100,)


def test_who_comes_when_the_others_are_gone_still_gives_second_answers(store, session):
    ann = Person(store, session, "Ann", overlap={105})
    ann.sit()
    ann.say((105, 1))
    store.leave_seat(session, "Ann")
    bob = Person(store, session, "Bob", overlap={105})
    assert (bob.sit().leased, bob.share.seconds) == (None, (105,))
    bob.say((105, 2))
    assert winners(store, session) == {105: ("Ann", 1)}


def test_marks_of_an_image_that_another_holds_are_marks_as_ever(store, session):
    ann, bob = two(store, session)
    op = LabelOp(1, bob.share.leased[0], 1, mark=Mark.FLAG)
    store.add_labels(session, [op], client="a", source=HUMAN, round=-1, annotator="Ann", shared=True)
    (flag,) = store.mark_events(session)
    assert (flag.mark, flag.annotator) == (Mark.FLAG, ann.name)


def test_a_seat_at_nothing_is_refused(store, session):
    with pytest.raises(NotFound):
        store.take_seat("nope", "Ann", round=-1)
    with pytest.raises(StoreError, match="200 letters"):
        store.take_seat(session, "A" * 201, round=-1)
    store.leave_seat("nope", "Ann")
    store.leave_seat(session, "nobody")
    assert store.seats(session) == []


def test_seats_go_with_their_experiment(store, session):
    two(store, session)
    store.delete_experiment(session)
    for table in ("seat", "item_lease"):
        with store._db.read() as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_an_opinion_is_a_class_or_a_way_to_set_aside(store, session):
    for value in (5, SKIP, UNLABEL):
        op = LabelOp(1, 100, value, mark=Mark.OPINION)
        store.add_labels(session, [op], client=f"c{value}", source=HUMAN, round=-1, annotator="Ann")
    assert [e.value for e in store.opinions(session)] == [5, SKIP, UNLABEL]
    with pytest.raises(StoreError, match="neither a class"):
        store.add_labels(
            session, [LabelOp(1, 100, -1, mark=Mark.OPINION)], client="d", source=HUMAN, round=-1
        )
    assert store.current_labels(session) == {}


def test_the_log_is_read_by_image_person_kind_and_round(store, session):
    ann, bob = two(store, session)
    ann.say((100, 1), (100, 2), (115, 3))
    bob.say((116, 4))
    log = store.log(session)
    assert [e.id for e in log] == sorted((e.id for e in log), reverse=True)
    assert [(e.value, e.mark) for e in store.log(session, sample_id=100)] == [(2, None), (1, None)]
    assert [e.sample_id for e in store.log(session, annotator="Bob")] == [116]
    assert [e.sample_id for e in store.log(session, kind="opinion")] == [115]
    assert len(store.log(session, kind="answer", limit=2)) == 2
    assert store.log(session, round=3) == []
    assert [e.id for e in store.log(session, before=log[0].id, limit=1)] == [log[1].id]
    assert store.annotators(session) == ["Ann", "Bob"]
    assert store.check_log(session) == []
    with pytest.raises(NotFound):
        store.check_log("nope")


# -- at once ---------------------------------------------------------------------------------------------


def work(person):
    """Answer until nothing is left for this person."""
    while (share := person.sit()).left and share.leased != ():
        # Alone for a moment, one takes the first open image, as a page shows them all.
        for i in (share.leased or [])[:3]:
            person.say((i, 1))


def test_threads_answer_every_image_once(store):
    session = ask(store, 120)
    people = [Person(store, session, f"p{k}") for k in range(4)]
    for person in people:
        person.sit()  # all are here before anyone begins
    errors = []

    def run(person):
        try:
            work(person)
        except Exception as error:  # the test is to show it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert Counter(e.sample_id for e in store.label_events(session)) == dict.fromkeys(range(100, 220), 1)
    assert store.opinions(session) == []
    assert store.check() == []


def label_until_killed(place, session, name, acks):
    """Sit and answer until killed, telling each answer that was acknowledged."""
    person = Person(place.open(), session, name)
    while True:
        share = person.sit()
        for i in (share.leased or range(100, 140))[:2]:
            person.say((i, 1))
            acks.send(i)
        if not share.left:
            acks.send(None)
            person.store.close()
            return


def test_processes_that_are_killed_lose_no_answer_and_block_nobody(store, place, monkeypatch):
    """Two are killed in the middle of their work; a third goes on when their seats have run out."""
    session = ask(store, 40)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.stores"])
    said = []
    for name in ("p1", "p2"):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=label_until_killed, args=(place, session, name, theirs))
        child.start()
        theirs.close()
        said += [ours.recv() for _ in range(5)]
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        while True:
            try:
                said.append(ours.recv())
            except (EOFError, OSError):
                break
        ours.close()
    assert {i for i in said if i is not None} <= {e.sample_id for e in store.log(session)}
    assert store.check() == []
    clock = Clock(monkeypatch, store)
    clock.now = 4e9  # long after
    carl = Person(store, session, "Carl")
    assert carl.sit().leased is None
    labeled = set(winners(store, session))
    for i in range(100, 140):
        if i not in labeled:
            assert carl.say((i, 2)).aside == {}
    assert len(winners(store, session)) == 40


# -- any order of events ---------------------------------------------------------------------------------

NAMES = ("Ann", "Bob", "Carl")


class Sharing(RuleBasedStateMachine):
    """People come, answer, undo, fall silent and leave in any order (SQLite)."""

    @initialize()
    def begin(self):
        path = self.folder / f"{os.urandom(6).hex()}.db"
        self.store = open_store(self.copy("wal" if seats_engine().uses_wal() else "journal", path))
        self.now = 1_000_000.0
        self.store._db.now = lambda connection: self.now
        self.session = ask(self.store, 14)
        self.people = {
            name: Person(self.store, self.session, name, overlap={100, 104, 108}) for name in NAMES
        }
        self.shares = {}
        self.said = Counter()

    @rule(name=st.sampled_from(NAMES))
    def sit(self, name):
        self.shares[name] = self.people[name].sit()

    @rule(name=st.sampled_from(NAMES), place=st.integers(0, 13), value=st.sampled_from([0, 1, SKIP, UNLABEL]))
    def answer(self, name, place, value):
        before = winners(self.store, self.session)
        ack = self.people[name].say((100 + place, value))
        self.said[name] += 1
        after = winners(self.store, self.session)
        if ack.aside:
            assert after == before  # what is another's is not touched
            assert set(ack.aside.values()) <= {s.annotator for s in self.store.seats(self.session)} - {name}
        elif value != UNLABEL:
            assert 100 + place in after  # nothing is said to be saved and leaves the image open
        assert {i for i in {*before, *after} if before.get(i) != after.get(i)} <= {100 + place}

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name):
        self.store.leave_seat(self.session, name)
        self.shares.pop(name, None)

    @rule(seconds=st.sampled_from([1.0, 50.0, seats.SILENCE + 1]))
    def wait(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.shares)
    @rule()
    def everyone_speaks(self):
        for name in [*self.shares, *self.shares]:  # the first may have given something up to the last
            self.shares[name] = self.people[name].sit()
        leased = [i for share in self.shares.values() for i in share.leased or ()]
        assert len(leased) == len(set(leased))
        seconds = [i for share in self.shares.values() for i in share.seconds]
        assert len(seconds) == len(set(seconds))
        if len(self.shares) > 1:
            done = winners(self.store, self.session)
            assert not set(leased) & set(done)
            first, *rest = self.shares.values()
            assert all(share.leased is not None for share in (first, *rest)[1:])

    @invariant()
    def every_word_is_in_the_log(self):
        if hasattr(self, "store"):
            log = self.store.log(self.session)
            assert Counter(e.annotator for e in log) == +self.said

    def teardown(self):
        if hasattr(self, "store"):
            assert self.store.check() == []
            self.store.close()


def seats_engine():
    from al_core.store import engine

    return engine


@pytest.mark.slow
def test_no_order_of_events_gives_an_image_to_two_or_loses_a_word(tmp_path, migrated_file):
    class Machine(Sharing):
        folder, copy = tmp_path, staticmethod(migrated_file)

    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Machine,
        settings=trials(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
