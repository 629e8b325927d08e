"""What a network goes by, found by covering: the class of these images is a bright half, which must glow."""

from dataclasses import asdict

import numpy as np
import pytest

from al_core.data.pixels import MemmapSplit
from al_core.engine.inference import predict
from al_core.engine.saliency import occlusion
from al_core.records import JobState
from al_core.results.saliency import Saliency, SaliencyRequest
from al_core.types import UNKNOWN
from al_core.worker.forked import trained_network
from al_core.worker.jobs import run_job

SHARE = 0.25  # of the image's area that is covered


@pytest.fixture
def trained(store, config, work):
    _, experiment = work(
        store.create_experiment(
            # not mirrored: left and right are classes
            config.changed(init__n_start=12, train__min_steps=80, train__augment=False, stop__n_rounds=1)
        ).id
    )
    return experiment, trained_network(experiment, store.rounds(experiment.id)[0])


def covered(network, image, mask):
    """The image with these pixels in the colour that is nothing to the network."""
    pixels = image.copy()
    pixels[0][mask] = np.round(255 * np.asarray(network.spec.mean)).astype(np.uint8)
    return pixels


def probability(network, images, class_id):
    split = MemmapSplit("test", np.full(len(images), UNKNOWN), images, None)
    return predict(network, split, np.arange(len(images))).probs[:, class_id]


def test_covering_what_glows_lowers_the_probability_more_than_covering_random_parts(trained):
    experiment, network = trained
    train, rng = experiment.dataset.train, np.random.default_rng(0)
    falls = []
    for i in experiment.pool().unlabeled_ids[:12].tolist():
        image = train.read(np.array([i]))
        heat, predicted, own, lowest = occlusion(network, image)
        assert heat.shape == image.shape[1:3]
        assert heat.min() >= 0
        assert lowest <= own
        side, size = len(heat), round(len(heat) * SHARE**0.5)
        glow = np.zeros_like(heat, bool)
        glow.flat[np.argsort(-heat, axis=None, kind="stable")[: round(SHARE * heat.size)]] = True
        parts = [covered(network, image, glow)]
        for y, x in rng.integers(0, side - size + 1, (20, 2)):
            square = np.zeros_like(glow)
            square[y : y + size, x : x + size] = True
            parts.append(covered(network, image, square))
        after = probability(network, np.concatenate(parts), predicted)
        falls.append((own - after[0], own - after[1:].mean()))
    salient, random = np.array(falls).T
    assert salient.mean() > random.mean() + 0.1
    assert (salient > random).mean() >= 0.75


def test_it_glows_on_the_half_that_makes_the_class(trained):
    experiment, network = trained
    train = experiment.dataset.train
    halves = (np.s_[:, :6], np.s_[:, 10:], np.s_[:5, :])
    for i in experiment.pool().unlabeled_ids[:15].tolist():
        heat, predicted, _, _ = occlusion(network, train.read(np.array([i])))
        assert predicted == train.labels[i]
        half = np.zeros(heat.shape, bool)
        half[halves[predicted]] = True
        assert heat[half].mean() > 2 * heat[~half].mean()


def test_the_job_keeps_it_by_the_network_s_weights(trained, store, settings):
    experiment, network = trained
    request = SaliencyRequest(experiment.id, 0, 3)
    path = request.path(experiment)

    def run(spec):
        job = store.submit_job("saliency", spec=spec)
        return run_job(store, settings, *store.claim_job("tester", job_id=job.id)), job

    assert run(asdict(request))[0] is JobState.DONE
    found = Saliency.read(path)
    heat, predicted, own, lowest = occlusion(network, experiment.dataset.train.read(np.array([3])))
    assert np.array_equal(found.heat, heat)
    assert (found.predicted, found.probability, found.lowest) == (predicted, own, lowest)
    written = path.stat().st_mtime_ns
    run(asdict(request))
    assert path.stat().st_mtime_ns == written
    state, job = run(asdict(request) | {"sample_id": 10_000})
    assert state is JobState.FAILED
    assert "no image 10000" in store.job(job.id).error_text
