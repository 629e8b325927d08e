"""What the model goes by, as the why-card shows it; how far an image is from the labeled ones, in words."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from al_core.experiment import Experiment
from al_core.records import ExperimentStatus, RoundRecord
from al_core.results.saliency import Saliency, SaliencyRequest
from pages.components.why_card import remoteness_words
from state import handles, saliency


@pytest.fixture
def trained(home, waiting, digits):
    """A session whose round 0 has weights, by name at least."""
    record = waiting()
    home.submit_job("advance", experiment_id=record.id)
    _, lease = home.claim_job("w")
    done = RoundRecord(record.id, 0, 5, 0, {}, None, (1,) * 10, {}, {"weights": "ab" * 32}, {}, 0.0)
    home.finish_round(lease, done, None, status=ExperimentStatus.AWAITING_LABELS)
    return Experiment.open(home, handles.settings(), record.id)


def shown(experiment):
    """The view alone, as the dialog holds it."""
    source = (
        "from al_core.experiment import Experiment\n"
        "from pages.components.saliency_view import saliency_view\n"
        "from state import handles\n"
        f"opened = Experiment.open(handles.store(), handles.settings(), {experiment.id!r})\n"
        "saliency_view(opened, 0, 3)\n"
    )
    return AppTest.from_string(source, default_timeout=20).run()


def heated(fall):
    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 5:7] = 1
    return Saliency(heat, 7, 0.9, 0.9 - fall)


def test_it_is_asked_of_the_worker_once_and_shown_when_it_is_there(trained):
    app = shown(trained)
    assert not app.exception
    app.button(key="saliency-ask").click().run()
    app.run()
    jobs = [job for job in handles.store().jobs() if job.kind == "saliency"]
    assert [dict(job.spec) for job in jobs] == [{"experiment": trained.id, "round": 0, "sample_id": 3}]
    heated(0.6).write(SaliencyRequest(trained.id, 0, 3).path(trained))
    app.run()
    assert not app.exception
    assert any("90% 7, and 30% with the place that matters most covered" in c.value for c in app.caption)
    assert not app.get("button")


def test_where_no_part_alone_matters_it_says_so(trained):
    heated(0.001).write(SaliencyRequest(trained.id, 0, 3).path(trained))
    assert any("No part alone matters" in c.value for c in shown(trained).caption)


def test_a_round_without_a_network_offers_nothing(waiting, home):
    record = waiting(0.5)  # its round has no artefact
    app = shown(Experiment.open(home, handles.settings(), record.id))
    assert not app.exception
    assert not app.get("button")


def test_the_picture_glows_where_the_heat_is(trained):
    request = SaliencyRequest(trained.id, 0, 3)
    picture = Image.open(io.BytesIO(saliency.picture(trained, request, heated(0.5))))
    pixels = np.asarray(picture, int)
    assert pixels.shape == (saliency.SIDE, saliency.SIDE, 3)
    redder = pixels[..., 0] - pixels[..., 2]
    step = saliency.SIDE // 8
    assert redder[2 * step + 8 : 4 * step - 8, 5 * step + 8 : 7 * step - 8].min() > 40
    assert abs(redder[6 * step :, : 2 * step]).max() <= 2, "grey where nothing matters"


@pytest.mark.parametrize(
    ("times", "words"),
    [(3.14, "Far from"), (1.5, "Somewhat apart"), (1.0, "As near"), (0.3, "Very like")],
)
def test_the_distance_to_the_labeled_is_said_in_words(times, words):
    said = remoteness_words(times)
    assert said.startswith(words)
    assert f"{times:.1f}×" in said
