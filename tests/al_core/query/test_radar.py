"""The class radar: groups without a label and far from all labels come first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.query.geometry import unit_rows
from al_core.query.radar import LEAST_IN_GROUP, evidence, examples, group_images, promising

CENTRES = np.eye(4, 8, dtype=np.float32)


@pytest.fixture
def crowds():
    """Four groups of 30 images on a sphere; class i is around axis i."""
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(4), 30)
    return unit_rows(CENTRES[classes] + rng.normal(0, 0.15, (120, 8)).astype(np.float32)), classes


def ranked(points, classes, labeled, *, groups=None, num_classes=4, width=0.5):
    labeled = np.asarray(labeled)
    groups = group_images(points, num_classes, np.random.default_rng(1)) if groups is None else groups
    free = np.setdiff1d(np.arange(len(points)), labeled)
    seen = len(np.unique(classes[labeled]))
    return promising(points, groups, labeled, free, seen=seen, num_classes=num_classes, width=width)


def test_the_group_of_the_class_that_nobody_has_seen_comes_first(crowds):
    points, classes = crowds
    found = ranked(points, classes, [0, 1, 30, 31, 60])
    assert set(classes[found[0].members]) == {3}
    assert found[0].labeled == 0
    assert found[0].remoteness > 1
    assert found[0].chance > found[-1].chance
    assert [g.chance for g in found] == sorted((g.chance for g in found), reverse=True)


def test_every_free_image_is_in_at_most_one_group_and_no_labeled_one_in_any(crowds):
    points, classes = crowds
    found = ranked(points, classes, [0, 30, 60])
    members = np.concatenate([group.members for group in found])
    assert len(members) == len(set(members.tolist()))
    assert not {0, 30, 60} & set(members.tolist())
    assert all(len(group.members) >= LEAST_IN_GROUP for group in found)


def test_where_every_class_was_seen_or_nothing_is_known_nothing_is_proposed(crowds):
    points, classes = crowds
    assert ranked(points, classes, [0, 30, 60, 90]) == []
    groups = np.zeros(120, np.int64)
    none = np.empty(0, np.int64)
    some = np.arange(120)
    assert promising(points, groups, none, some, seen=0, num_classes=4, width=1) == []
    assert promising(points, groups, some, none, seen=3, num_classes=4, width=1) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_a_further_label_never_makes_an_image_more_promising(seed, count):
    rng = np.random.default_rng(seed)
    points = unit_rows(rng.normal(size=(40, 5)).astype(np.float32))
    labeled = rng.permutation(40)[:count]
    less = evidence(points, labeled[:-1], 0.7) if count > 1 else np.zeros(40)
    more = evidence(points, labeled, 0.7)
    assert (more >= less - 1e-9).all()
    slow = [sum(np.exp(-((points[x] - points[i]) ** 2).sum() / 0.49) for i in labeled) for x in range(40)]
    assert more == pytest.approx(slow, rel=1e-3, abs=1e-5)


def test_examples_are_far_from_the_labels_and_from_each_other(crowds):
    points, classes = crowds
    labeled = np.array([0, 30, 60])
    group = ranked(points, classes, labeled)[0]
    picked = examples(points, group, labeled, 5)
    assert len(set(picked.tolist())) == 5
    assert set(picked.tolist()) <= set(group.members.tolist())
    away = np.linalg.norm(points[group.members][:, None] - points[labeled], axis=2).min(1)
    assert picked[0] == group.members[away.argmax()]
    spread = np.linalg.norm(points[picked][:, None] - points[picked], axis=2)[np.triu_indices(5, 1)].min()
    first = points[group.members[:5]]
    assert spread > np.linalg.norm(first[:, None] - first, axis=2)[np.triu_indices(5, 1)].min()
    assert examples(points, group, labeled, 500).tolist() == group.members.tolist()


def test_a_rare_class_is_found_inside_a_group_of_another(crowds):
    """Five images of class 3 in a group of class 0, which has labels; the other groups are well known."""
    points, classes = crowds
    kept = np.flatnonzero((classes < 3) | (np.arange(120) < 95))
    points, classes = points[kept], classes[kept]
    groups = np.where(classes == 3, 0, classes)
    labeled = [0, 1, 2, 3, 30, 31, 32, 33, 60, 61, 62, 63]
    found = ranked(points, classes, labeled, groups=groups)
    rare = np.flatnonzero(classes == 3)
    assert set(rare) <= set(found[0].members)
    assert 3 in classes[examples(points, found[0], np.array(labeled), 4)]
