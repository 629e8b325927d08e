import numpy as np
import pytest

from al_core.config import InitConfig
from al_core.errors import ConfigError
from al_core.initial import draw_initial, read_labels_file

LABELS = np.repeat(np.arange(4), 50)
POOL = np.arange(200)


def unwanted(ids):
    raise AssertionError("features were computed, but nobody needs them")


def test_per_class_takes_n_of_each_class_from_the_pool_only():
    ids = draw_initial(InitConfig(init="per_class", n_start=3), POOL[::2], LABELS, 0, unwanted)
    assert np.bincount(LABELS[ids]).tolist() == [3, 3, 3, 3]
    assert (ids % 2 == 0).all()
    assert len(set(ids.tolist())) == 12


def test_per_class_takes_what_a_small_class_has():
    labels = np.array([0] * 50 + [1] * 2)
    ids = draw_initial(InitConfig(init="per_class", n_start=5), np.arange(52), labels, 0, unwanted)
    assert np.bincount(labels[ids]).tolist() == [5, 2]


def test_per_class_without_known_labels_is_refused():
    with pytest.raises(ConfigError, match="labels are not known"):
        draw_initial(InitConfig(init="per_class"), POOL, np.full(200, -1), 0, unwanted)


def test_random_does_not_look_at_labels():
    init = InitConfig(init="random", n_start=10)
    one = draw_initial(init, POOL, LABELS, 7, unwanted)
    two = draw_initial(init, POOL, np.full(200, -1), 7, unwanted)
    assert one.tolist() == two.tolist()
    assert len(set(one.tolist())) == 10


def test_kcenter_spreads_over_the_features():
    points = np.zeros((200, 2), np.float32)
    points[:50], points[50:100], points[100:150] = (10, 0), (0, 10), (-10, 0)
    ids = draw_initial(InitConfig(init="kcenter", n_start=4), POOL, LABELS, 0, lambda ids: points[ids])
    assert {tuple(points[i]) for i in ids} == {(10, 0), (0, 10), (-10, 0), (0, 0)}


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_labels_file_is_read_by_id_or_by_file_name(tmp_path):
    by_id = write(tmp_path / "a.csv", "sample_id,label\n3,cat\n1,dog\n")
    by_name = write(tmp_path / "b.csv", "file,label\nx/3.png,cat\n")
    assert read_labels_file(by_id, ("cat", "dog"), 5, dict) == {3: 0, 1: 1}
    assert read_labels_file(by_name, ("cat", "dog"), 5, lambda: {"x/3.png": 3}) == {3: 0}


def test_every_line_that_cannot_be_used_is_named(tmp_path):
    path = write(tmp_path / "a.csv", "sample_id,label\n9,cat\n1,cow\n2,cat\n2,dog\n")
    with pytest.raises(ConfigError) as caught:
        read_labels_file(path, ("cat", "dog"), 5, dict)
    assert [p.option.rpartition(" ")[2] for p in caught.value.problems] == ["2", "3", "5"]


@pytest.mark.parametrize("text", ["", "id,class\n1,cat\n", "label\ncat\n"])
def test_a_labels_file_without_its_columns_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match="needs a header"):
        read_labels_file(write(tmp_path / "a.csv", text), ("cat",), 5, dict)


def test_a_missing_or_broken_labels_file_is_refused(tmp_path):
    long = write(tmp_path / "a.csv", f"sample_id,label\n1,{'x' * 140_000}\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_labels_file(long, ("cat",), 5, dict)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_labels_file(tmp_path / "none.csv", ("cat",), 5, dict)
