"""Use it: the page with nothing, without a model, while it works, with an answer, and after a failure."""

import io

import pytest

from al_core.deploy.asked import ask_about_uploads, place
from al_core.deploy.card import export_path
from al_core.records import JobState
from al_core.results.records_file import write_json
from state import handles
from tests.pages.conftest import components


@pytest.fixture
def asked(home, waiting):
    """A session with two rounds, and a request about one picture that nobody has answered."""
    record = waiting(0.5, 0.6)
    found = ask_about_uploads(handles.settings(), record.id, 1, [("=a*.png", io.BytesIO(b"x"))])
    home.submit_job("predict", spec={"token": found.token})
    return record, found


def words(app):
    return " ".join(
        str(e.value) for kind in ("markdown", "caption", "info", "error", "subheader") for e in app.get(kind)
    )


def test_without_a_session_the_page_says_what_would_be_here(visit):
    app = visit("predict")
    assert not app.exception
    assert "No session is open" in words(app)


def test_before_the_first_round_there_is_no_model_and_the_way_to_one(visit, waiting):
    app = visit("predict", exp=waiting().id)
    assert not app.exception
    assert "There is no model yet" in words(app)


def test_the_rule_that_chose_the_model_is_said_and_the_example_is_shown(visit, waiting):
    record = waiting(0.5, 0.9, 0.4)
    app = visit("predict", exp=record.id)
    assert not app.exception
    assert "Round 2\\, the last\\: there is no validation split to choose by" in words(app)
    code = [element.value for element in app.get("code")]
    assert any("onnxruntime.InferenceSession" in text for text in code)
    assert any(f"export-model {record.id} --round 2" in text for text in code)
    app = visit("predict", exp=record.id, round="1")
    assert "Round 1\\, as asked for" in words(app)


def test_a_request_under_way_shows_progress_and_can_be_stopped(visit, asked):
    record, found = asked
    app = visit("predict", exp=record.id, prediction=found.token)
    assert not app.exception
    assert "Stop" in [button.label for button in app.button]


def test_an_answer_shows_pictures_and_names_literally_and_refused_files(visit, asked):
    record, found = asked
    top = [["seven*", 0.9], ["1", 0.1]]
    row = {"file": "=a*.png", "class": "seven*", "confidence": 0.9, "top": top, "milliseconds": 2.5}
    refused = [{"file": "b.gif", "reason": "truncated picture"}]
    result = {"predictions": [row], "refused": refused, "round": 1, "size": 8, "why": "", "classes": []}
    write_json(place(handles.settings(), found.token) / "result.json", result)
    app = visit("predict", exp=record.id, prediction=found.token)
    assert not app.exception
    assert "seven\\* 1 · 2.50 ms each in the network · round 1" in words(app)
    (cards,) = components(app, "askwell_query_cards")
    assert '"label": "seven*"' in cards.json.replace('":"', '": "')
    assert "1 file was left out" in [expander.label for expander in app.expander]


def test_a_failed_request_says_why_and_offers_another_try(visit, asked, home):
    record, found = asked
    job = next(job for job in home.jobs() if job.kind == "predict")
    _, lease = home.claim_job("t", job_id=job.id)
    home.end_job(
        lease, JobState.FAILED, error_kind="DataError", error_text="none of the 1 files is a picture"
    )
    app = visit("predict", exp=record.id, prediction=found.token)
    assert "None of the 1 files is a picture" in words(app)
    assert "Try again" in [button.label for button in app.button]


def test_a_request_that_is_gone_or_of_another_session_is_not_shown(visit, asked, waiting, home):
    record, found = asked
    home.control_job(home.jobs(active=True)[0].id, "stop")
    assert "is gone" in words(visit("predict", exp=record.id, prediction="0" * 32))
    app = visit("predict", exp=waiting(0.3, name="other").id, prediction=found.token)
    assert "Try again" not in [button.label for button in app.button]
    mine = visit("predict", exp=record.id, prediction=found.token)
    assert "Try again" in [button.label for button in mine.button]


def test_a_written_model_is_offered_by_a_signed_address(visit, waiting):
    record = waiting(0.5)
    path = export_path(handles.settings(), record.id, 0)
    path.parent.mkdir()
    path.write_bytes(b"zip")
    app = visit("predict", exp=record.id)
    links = [element.proto.url for element in app.get("link_button")]
    assert any(url.startswith(f"/api/model/{record.id}/0?e=") for url in links)
