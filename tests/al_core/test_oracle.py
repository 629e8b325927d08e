"""Oracles that err: the rate comes out, draws belong to an image, files are refused by name."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.check import check_config
from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.errors import ConfigError
from al_core.oracle import answers, mistaken, oracle_words, uniform
from al_core.records import LabelSource
from al_core.types import UNKNOWN

CIFAR_N = ("clean_label", "aggre_label", "worse_label", "random_label1", "random_label2", "random_label3")


def config(**changes):
    values = {"stop__n_rounds": 2} | {f"answers__{k}" if k != "oracle" else k: v for k, v in changes.items()}
    return ExperimentConfig().changed(**values)


@pytest.fixture
def digits(settings):
    return prepare(settings, DataConfig())


def refused(settings, **changes):
    return {p.option: p.allowed for p in check_config(config(**changes), settings)}


@given(rate=st.floats(0, 1), num_classes=st.integers(2, 30), seed=st.integers(0, 99))
def test_the_share_of_wrong_answers_is_the_rate_and_every_other_class_is_as_likely(rate, num_classes, seed):
    n = 20_000
    truth = np.arange(n) % num_classes
    given_ = mistaken(truth, np.arange(n), uniform(rate, num_classes), seed)
    wrong = given_ != truth
    # five standard deviations of a share of n, and of a class among the wrong ones
    assert abs(wrong.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / n) + 1e-12
    shifts = np.bincount((given_ - truth)[wrong] % num_classes, minlength=num_classes)[1:]
    expected = wrong.sum() / (num_classes - 1)
    assert (np.abs(shifts - expected) <= 5 * np.sqrt(expected) + 5).all()


def test_a_matrix_comes_out_row_by_row_and_a_class_is_never_mistaken_for_what_it_excludes():
    matrix = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    truth = np.repeat(np.arange(3), 20_000)
    found = mistaken(truth, np.arange(60_000), matrix, 3)
    shares = np.stack([np.bincount(found[truth == c], minlength=3) / 20_000 for c in range(3)])
    assert np.abs(shares - matrix).max() < 0.02
    assert (shares[matrix == 0] == 0).all()


def test_an_image_has_its_answer_whoever_else_is_asked_and_in_whatever_order():
    truth = np.arange(1000) % 10
    whole = mistaken(truth, np.arange(1000), uniform(0.4, 10), 7)
    ids = np.array([900, 3, 511, 4])
    assert mistaken(truth[ids], ids, uniform(0.4, 10), 7).tolist() == whole[ids].tolist()
    assert (mistaken(truth, np.arange(1000), uniform(0.4, 10), 8) != whole).any()


def test_what_is_wrong_at_a_small_rate_is_wrong_in_the_same_way_at_a_larger_one():
    truth = np.arange(5000) % 10
    small, large = (mistaken(truth, np.arange(5000), uniform(r, 10), 1) for r in (0.1, 0.4))
    wrong = small != truth
    assert wrong.sum() > 400
    assert (small[wrong] == large[wrong]).all()
    assert (large != truth).sum() > 1800


def test_a_rate_of_nothing_is_the_truth(digits):
    ids = np.arange(len(digits.train))
    assert (answers(config(oracle="noisy", noise_rate=0.0), digits, ids) == digits.train.labels).all()
    assert (answers(config(oracle="truth"), digits, ids) == digits.train.labels).all()


def test_a_matrix_is_read_from_json_csv_and_npy_alike_and_counts_become_shares(digits, settings, tmp_path):
    table = np.eye(10) * 8
    table[3, 8] = 2
    files = {
        "rows": json.dumps(table.tolist()),
        "names": json.dumps({"3": {"3": 80, "8": 20}}),  # a class without a row is never mistaken
        "json": str(tmp_path / "m.json"),
        "plain": str(tmp_path / "plain.csv"),
        "csv": str(tmp_path / "m.csv"),
        "npy": str(tmp_path / "m.npy"),
    }
    (tmp_path / "m.json").write_text(files["rows"])
    np.savetxt(tmp_path / "plain.csv", table, delimiter=",")
    lines = [",".join(["true", *map(str, range(10))])]
    lines += [",".join([f"'{c}" if c == 2 else str(c), *map(str, row)]) for c, row in enumerate(table)]
    (tmp_path / "m.csv").write_text("\n".join(lines))
    np.save(tmp_path / "m.npy", table)
    ids, truth = np.arange(len(digits.train)), digits.train.labels
    found = {}
    for name, text in files.items():
        asked = config(oracle="noisy", noise_matrix=text)
        assert check_config(asked, settings) == [], name
        found[name] = answers(asked, digits, ids).tolist()
    assert all(found[name] == found["rows"] for name in files)
    wrong = np.array(found["rows"]) != truth
    assert 10 < wrong.sum() < 60
    assert set(truth[wrong]) == {3}
    assert set(np.array(found["rows"])[wrong]) == {8}


@pytest.mark.parametrize(
    ("changes", "option", "said"),
    [
        ({"oracle": "noisy"}, "answers.noise_rate", "need a rate"),
        (
            {"oracle": "noisy", "noise_rate": 0.1, "noise_matrix": "[[1]]"},
            "answers.noise_matrix",
            "one of them",
        ),
        ({"oracle": "truth", "noise_rate": 0.1}, "answers.noise_rate", "does not read it"),
        (
            {"oracle": "noisy", "noise_rate": 0.1, "recorded_column": "a"},
            "answers.recorded_column",
            "not read",
        ),
        ({"oracle": "noisy", "noise_matrix": "/none.csv"}, "answers.noise_matrix", "is no file"),
        ({"oracle": "noisy", "noise_matrix": "[[1, 0], [0"}, "answers.noise_matrix", "cannot be read"),
        ({"oracle": "noisy", "noise_matrix": "[[1, 0], [0, 1]]"}, "answers.noise_matrix", "has 2 classes"),
        ({"oracle": "noisy", "noise_matrix": "[[1, 0]]"}, "answers.noise_matrix", "has the shape (1, 2)"),
        ({"oracle": "noisy", "noise_matrix": "[[1, 0], [1]]"}, "answers.noise_matrix", "the same count"),
        (
            {"oracle": "noisy", "noise_matrix": '{"cat": {"3": 1}}'},
            "answers.noise_matrix",
            "'cat' is not known",
        ),
        ({"oracle": "noisy", "noise_matrix": '{"3": {"3": -1}}'}, "answers.noise_matrix", "not below 0"),
        ({"oracle": "noisy", "noise_matrix": '{"3": 1}'}, "answers.noise_matrix", "has the form"),
        ({"oracle": "recorded"}, "answers.recorded_file", "need the path"),
        ({"oracle": "recorded", "recorded_file": "/none.npz"}, "answers.recorded_file", "is no file"),
    ],
)
def test_what_an_oracle_cannot_do_is_refused_by_name(settings, digits, changes, option, said):
    found = refused(settings, **changes)
    assert said in found.get(option, ""), found


def test_a_matrix_with_an_endless_cell_is_refused(settings, digits, tmp_path):
    path = tmp_path / "matrix.csv"
    path.write_text("1," + "0" * 140_000)
    found = refused(settings, oracle="noisy", noise_matrix=str(path))
    assert "cannot be read" in found["answers.noise_matrix"]


def test_a_rate_out_of_range_is_refused_by_the_config():
    with pytest.raises(ConfigError) as caught:
        config(oracle="noisy", noise_rate=1.5)
    assert [p.option for p in caught.value.problems] == ["answers.noise_rate"]


@pytest.fixture
def recorded(tmp_path, digits):
    """A file of the layout of CIFAR-10N's: one array an annotator, in the train split's order."""
    rng = np.random.default_rng(0)
    truth = digits.train.labels.astype(np.uint8)
    worse = np.where(rng.random(len(truth)) < 0.4, (truth + 1) % 10, truth).astype(np.uint8)
    path = tmp_path / "people.npz"
    np.savez(path, clean_label=truth, worse_label=worse)
    return path, worse


def test_recorded_answers_are_given_as_they_stand_in_the_file(settings, digits, recorded):
    path, worse = recorded
    asked = config(oracle="recorded", recorded_file=str(path), recorded_column="worse_label")
    assert check_config(asked, settings) == []
    ids = np.array([5, 900, 17])
    assert answers(asked, digits, ids).tolist() == worse[ids].tolist()
    assert "clean_label, worse_label" in refused(settings, oracle="recorded", recorded_file=str(path)).get(
        "answers.recorded_column", ""
    )
    found = refused(settings, oracle="recorded", recorded_file=str(path), recorded_column="worst")
    assert "one of clean_label" in found["answers.recorded_column"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (lambda t: t[:-1], "answers; the train split of"),
        (lambda t: np.where(t == 3, 10, t), "the class 10 is not known"),
        (lambda t: t.astype(float), "class numbers or names are needed"),
        (lambda t: np.stack([t, t]), "an array of shape"),
        (lambda t: np.where(t == 3, "three", t.astype(str)), "the class 'three' is not known"),
    ],
)
def test_a_file_of_answers_that_does_not_fit_the_data_set_is_refused(
    settings, digits, tmp_path, values, said
):
    path = tmp_path / "a.npy"
    np.save(path, values(digits.train.labels))
    assert said in refused(settings, oracle="recorded", recorded_file=str(path))["answers.recorded_file"]


def test_arrays_that_would_have_to_be_unpickled_are_refused(settings, digits, tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    assert (
        "cannot be read as arrays"
        in refused(settings, oracle="recorded", recorded_file=str(path))["answers.recorded_file"]
    )


def test_a_csv_answers_by_sample_id_or_file_and_an_empty_cell_is_no_answer(settings, digits, tmp_path):
    by_id, by_file = tmp_path / "id.csv", tmp_path / "file.csv"
    by_id.write_text("sample_id,label,second\n4,7,\n9,2,1\n")
    by_file.write_text(f"file,label\n{digits.train.file_name(4)},7\n")
    first = config(oracle="recorded", recorded_file=str(by_id))
    ids = np.array([4, 5, 9])
    assert answers(first, digits, ids).tolist() == [7, UNKNOWN, 2]
    second = first.changed(answers__recorded_column="second")
    assert answers(second, digits, ids).tolist() == [UNKNOWN, UNKNOWN, 1]
    third = first.changed(answers__recorded_file=str(by_file))
    assert answers(third, digits, ids).tolist() == [7, UNKNOWN, UNKNOWN]
    by_id.write_text("sample_id,label\n4,cat\n")
    assert list(refused(settings, oracle="recorded", recorded_file=str(by_id))) == [
        "answers.recorded_file, line 2"
    ]


def test_cifar_10n_s_columns_err_as_often_as_their_authors_say(test_data):
    """Wei et al. (2022, 2110.12088), table 1: 9.03 (9.01 in the file), 40.21, 17.23, 18.12, 17.64 %."""
    path = test_data / "human-labels" / "cifar10n.npz"
    if not path.is_file():
        pytest.skip("no CIFAR-10N in the test data")

    class Train:
        labels = np.load(path)["clean_label"].astype(np.int64)

        def __len__(self):
            return len(self.labels)

    class Cifar:
        train, num_classes, title, classes = Train(), 10, "CIFAR-10", tuple("abcdefghij")

    ids = np.arange(50_000)
    shares = {}
    for column in CIFAR_N:
        asked = config(oracle="recorded", recorded_file=str(path), recorded_column=column)
        shares[column] = 100 * (answers(asked, Cifar, ids) != Train.labels).mean()
    assert list(shares.values()) == pytest.approx([0, 9.03, 40.21, 17.23, 18.12, 17.64], abs=0.03)


def test_an_oracle_that_errs_is_put_into_words():
    assert oracle_words(config()) == ""
    assert oracle_words(config(oracle="noisy", noise_rate=0.2)) == "20 % of answers wrong"
    asked = config(oracle="recorded", recorded_file="/x/people.npz", recorded_column="worse_label")
    assert oracle_words(asked) == "answers from people.npz, worse_label"
    assert LabelSource("recorded") is LabelSource.RECORDED
