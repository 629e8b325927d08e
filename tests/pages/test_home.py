from state import session


def metrics(app):
    return [(m.label, m.value) for m in app.metric]


def test_sessions_are_cards_with_their_round_labels_and_accuracy(visit, waiting):
    waiting(0.5, 0.625, name="first")
    app = visit()
    assert metrics(app) == [("Accuracy, round 2, 0 labels", "62.5 %")]
    assert any("first" in m.value for m in app.markdown)


def test_opening_a_card_goes_to_its_labels(visit, waiting):
    record = waiting(0.5)
    app = visit()
    app.button(key=f"open-{record.id}").click().run()
    assert not app.exception
    assert app.session_state[session.KEY].experiment_id == record.id
    assert any("which class is it?" in h.value for h in app.header)


def test_the_story_makes_one_session_on_digits_and_starts_it(visit, home):
    app = visit()
    app.button(key="story").click().run()
    assert not app.exception
    records = home.experiments()
    assert [r.config.data.dataset for r in records] == ["digits"]
    assert [job.experiment_id for job in home.jobs(active=True)] == [records[0].id]
    assert app.session_state[session.KEY].experiment_id == records[0].id


def test_deleting_asks_first(visit, waiting, home):
    record = waiting(0.5, name="precious")
    app = visit(exp=record.id)
    app.button(key=f"delete-{record.id}").click().run()
    assert app.button(key=f"gone-{record.id}").disabled
    assert home.experiments()


def test_a_second_story_is_looked_at_and_not_the_first_of_its_name(visit, home):
    for _ in range(2):
        app = visit()
        app.button(key="story").click().run()
        newest = home.experiments()[0]
        assert app.session_state[session.KEY].experiment_id == newest.id
        assert app.selectbox(key="switcher").value == newest.id
        assert len(set(app.selectbox(key="switcher").options)) == len(home.experiments())
