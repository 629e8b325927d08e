import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from al_core.query import toy
from al_core.query.strategies import STRATEGIES

OWN = [entry.name for entry in STRATEGIES if entry.function.__module__.startswith("al_core.")]


@pytest.mark.parametrize("name", OWN)
def test_every_strategy_plays_and_never_asks_twice(name):
    frames = toy.play(name)
    assert len(frames) == toy.ROUNDS + 1
    asked = [point for frame in frames for point in frame.asked]
    assert len(asked) == len(set(asked)) == toy.ROUNDS * toy.STEP
    for before, after in pairwise(frames):
        assert set(before.asked).isdisjoint(before.labeled)
        assert set(after.labeled) == {*before.labeled, *before.asked}
    assert frames[-1].asked == ()
    columns, rows = toy.GRID
    assert {len(frame.believed) for frame in frames} == {columns * rows}
    assert all(0 <= frame.accuracy <= 1 for frame in frames)


def test_all_strategies_begin_from_the_same_points_and_the_same_network():
    first = {toy.play(name)[0].believed for name in ("random", "margin", "k_center")}
    assert len(first) == 1
    assert toy.play("random")[0].labeled == toy.play("badge")[0].labeled


def test_the_network_learns_more_from_more_labels_and_margin_beats_random_over_draws():
    def area(name, seed):
        return np.mean([frame.accuracy for frame in toy.play(name, seed)[1:]])

    gains = [area("margin", seed) - area("random", seed) for seed in range(5)]
    assert np.mean(gains) > 0
    assert toy.play("margin")[-1].accuracy > toy.play("margin")[0].accuracy


@pytest.mark.parametrize("distance", [toy.deepfool, toy.bim])
def test_points_that_the_network_doubts_lie_near_a_border(distance):
    plane = toy.world(0)
    net = toy.train(plane.points[:40], plane.classes[:40], np.random.default_rng(0))
    points = plane.points[40:120]
    far = distance(net, points)
    reached = far < np.sqrt(2)
    assert reached.mean() > 0.5
    probs = np.sort(net.probs(points), axis=1)
    doubt = 1 - (probs[:, -1] - probs[:, -2])
    assert np.corrcoef(doubt[reached], far[reached])[0, 1] < -0.3


def test_its_process_says_it_as_json_and_holds_no_torch():
    code = (
        "import runpy, sys; sys.argv = ['toy', '1', 'margin', 'random'];"
        "runpy.run_module('al_core.query.toy', run_name='__main__');"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [arm["name"] for arm in said["arms"]] == ["margin", "random"]
    assert len(said["points"]) == len(said["classes"]) == toy.NUM_POINTS
