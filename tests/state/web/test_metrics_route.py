import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from al_core.records import JobState
from al_core.store import open_store
from state import handles
from state.web import metrics, security
from tests.e2e.seeded import ScriptedWorker, seed


@pytest.fixture
def served(settings, monkeypatch):
    """The routes over a seeded store; (client, experiment id, store)."""
    store = open_store(settings)
    monkeypatch.setattr(handles, "settings", lambda: settings)
    monkeypatch.setattr(handles, "store", lambda: store)
    metrics._ghosts.clear()
    experiment_id = seed(settings, rounds=3, epochs=4)
    client = TestClient(Starlette(routes=metrics.metrics_routes()))
    yield client, experiment_id, store
    store.close()


def get(client, experiment_id, **query):
    url = metrics.metrics_url(experiment_id)
    return client.get(url + "".join(f"&{name}={value}" for name, value in query.items()))


def test_the_first_poll_gives_all_rounds_of_both_curves(served):
    client, experiment_id, store = served
    body = get(client, experiment_id).json()
    assert [p["x"] for p in body["rounds"]] == [20, 40, 60]
    assert [p["n"] for p in body["ghost"]] == [0, 1, 2]
    recorded = store.rounds(experiment_id)[2].metrics["test_accuracy"]
    assert body["rounds"][2]["metrics"]["test_accuracy"] == pytest.approx(recorded, abs=1e-6)
    assert body["status"] == "awaiting_labels"
    assert body["job"]["state"] == "done"
    assert "epochs" not in body


def test_an_unchanged_experiment_is_answered_204_with_one_read_per_curve(served, monkeypatch):
    client, experiment_id, store = served
    version = get(client, experiment_id).json()["version"]
    reads = []
    monkeypatch.setattr(store, "version", lambda i: (reads.append(i), type(store).version(store, i))[1])
    for name in ("rounds", "epochs", "jobs", "experiment", "ghost_of"):
        monkeypatch.setattr(store, name, lambda *a, **k: pytest.fail("a poll read more than versions"))
    answer = get(client, experiment_id, v=version)
    assert answer.status_code == 204
    assert answer.content == b""
    assert len(reads) == 2


def test_a_later_poll_gives_only_what_is_new(served, settings):
    client, experiment_id, store = served
    first = get(client, experiment_id, e="last").json()
    ScriptedWorker(store, settings, experiment_id, epochs=4).run(1)
    body = get(
        client, experiment_id, v=first["version"], r=3, g=3, e="last", k=first["epochs_round"], n=4
    ).json()
    assert [p["n"] for p in body["rounds"]] == [3]
    assert body["ghost"] == []
    assert body["epochs_round"] == 3
    assert (body["epochs_from"], len(body["epochs"])) == (0, 4)


def test_epochs_come_while_the_round_trains(served, settings):
    client, experiment_id, store = served
    worker = ScriptedWorker(store, settings, experiment_id, epochs=5)
    lease = worker.begin()
    worker.train(lease, 3)
    body = get(client, experiment_id, e="last", k=3, n=2).json()
    assert (body["epochs_round"], body["epochs_from"]) == (3, 2)
    assert [e["epoch"] for e in body["epochs"]] == [2, 3, 4]
    assert body["job"]["phase"] == "train"
    assert body["job"]["epochs"] == 5
    store.end_job(lease, JobState.STOPPED)


def test_an_earlier_round_can_be_asked_for(served):
    client, experiment_id, _ = served
    body = get(client, experiment_id, e=1).json()
    assert {e["round"] for e in body["epochs"]} == {1}


def test_a_change_of_the_baseline_alone_is_seen(served, settings):
    client, experiment_id, store = served
    version = get(client, experiment_id).json()["version"]
    ScriptedWorker(store, settings, store.ghost_of(experiment_id).id).run(1)
    body = get(client, experiment_id, v=version, r=3, g=3).json()
    assert [p["n"] for p in body["ghost"]] == [3]


def test_values_that_json_cannot_say_become_null(served):
    assert metrics._finite(float("nan")) is None
    assert metrics._finite(float("inf")) is None
    assert metrics._finite(None) is None
    client, experiment_id, _ = served
    json.loads(get(client, experiment_id, e="last").text, parse_constant=pytest.fail)


def test_the_token_must_be_ours_and_for_this_experiment(served):
    client, experiment_id, _ = served
    assert client.get(f"/api/metrics/{experiment_id}").status_code == 403
    assert client.get(f"/api/metrics/{experiment_id}?t=1.x").status_code == 403
    other = security.token("metrics", "another")
    assert client.get(f"/api/metrics/{experiment_id}?t={other}").status_code == 403
    wrong_scope = security.token("labels", experiment_id)
    assert client.get(f"/api/metrics/{experiment_id}?t={wrong_scope}").status_code == 403


@pytest.mark.parametrize("query", [{"r": "x"}, {"g": "-1"}, {"n": "1e3"}, {"e": "first"}, {"k": "99999999"}])
def test_numbers_that_are_none_are_refused(served, query):
    client, experiment_id, _ = served
    assert get(client, experiment_id, **query).status_code == 422


def test_an_experiment_that_is_gone_is_404(served):
    client, _, _ = served
    assert get(client, "nothing").status_code == 404


def test_more_rounds_claimed_than_there_are_gives_none(served):
    client, experiment_id, _ = served
    assert get(client, experiment_id, r=50).json()["rounds"] == []
