"""`check-strategy`: a person's file held to the kit, with a line a check."""

import numpy as np
import pytest

from al_core.cli import main
from al_core.engine.checks import (
    MODEL_CHECKS,
    does_not_depend_on_chunks,
    does_not_move_with_hidden_labels,
    leaves_the_model_alone,
)
from al_core.engine.providers import EvidenceContext
from al_core.errors import StrategyError
from al_core.query.own import load_strategy
from al_core.query.strategies import STRATEGIES
from al_core.testing import CHECKS

GOOD = '''"""Mine."""


def unsure(probs):
    """Prefer images whose likeliest class is not likely."""
    return -probs.max(axis=1).astype(float)
'''
BAD = '''

def first_ones(num_candidates: int, *, k, rng):
    """Ask for the first."""
    return list(range(k))


def raising(probs):
    """Fail."""
    return probs["class"]
'''


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    return path


def test_a_good_strategy_keeps_every_promise(file, capsys):
    assert main(["check-strategy", str(file), "--no-model"]) == 0
    out = capsys.readouterr().out
    assert "unsure: scorer of probs" in out
    assert out.count("ok    ") == len(CHECKS)
    assert "skip  evidence, model and hidden labels: --no-model was given" in out
    assert "unsure" not in STRATEGIES


def test_what_is_broken_is_said_with_the_evidence(file, capsys):
    file.write_text(GOOD + BAD)
    assert main(["check-strategy", f"{file}:first_ones"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  chooses_the_same_images_in_any_order" in out
    assert "'first_ones' depends on the order of the pool" in out
    assert "skip  evidence, model and hidden labels: first mend" in out


def test_an_error_of_the_file_itself_names_the_line(file, capsys):
    file.write_text(GOOD + BAD)
    assert main(["check-strategy", f"{file}:raising"]) == 1
    out = capsys.readouterr().out
    assert "IndexError" in out
    assert 'mine.py:16: return probs["class"]' in out


def test_a_registered_strategy_is_checked_by_any_of_its_names(capsys):
    assert main(["check-strategy", "KCenterGreedy", "--no-model"]) == 0
    assert "k_center: selector of embeddings, labeled_embeddings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/nowhere/mine.py", "there is no file"),
        ("{file}:other", "has no function 'other'; it has unsure, first_ones, raising"),
        ("{file}", "not one function but unsure, first_ones, raising: name one"),
        ("marginn", "did you mean 'margin'"),
    ],
)
def test_what_cannot_be_found_is_refused(file, capsys, text, words):
    file.write_text(GOOD + BAD)
    assert main(["check-strategy", text.format(file=file)]) == 2
    assert words in capsys.readouterr().err


def test_a_file_that_cannot_be_run_is_refused(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("import nothing_of_that_name")
    assert main(["check-strategy", str(tmp_path / "broken.py")]) == 2
    assert "broken.py cannot be run: ModuleNotFoundError" in capsys.readouterr().err


def moves_with_company(monkeypatch):
    from al_core.engine import checks

    gathered = checks.gather

    def gather(names, context: EvidenceContext):
        found = gathered(names, context)
        return (
            found | {"probs": np.roll(found["probs"], 1, axis=0)}
            if len(context.candidate_ids) < 20
            else found
        )

    monkeypatch.setattr(checks, "gather", gather)


@pytest.mark.slow
def test_evidence_that_moves_with_its_company_is_noticed(monkeypatch):
    moves_with_company(monkeypatch)
    with pytest.raises(StrategyError, match="probs of an image moves by"):
        does_not_depend_on_chunks(STRATEGIES.get("margin"))


@pytest.mark.slow
def test_a_provider_that_changes_the_network_or_sees_labels_is_noticed(monkeypatch):
    from al_core.engine import checks

    gathered = checks.gather

    def gather(names, context: EvidenceContext):
        with_labels = gathered(names, context)
        shift = context.dataset.train.labels[context.candidate_ids] == 0
        with_labels["probs"] = np.where(shift[:, None], 1 / 3, with_labels["probs"])
        context.network.module.classifier.head.bias.data += 1
        return with_labels

    monkeypatch.setattr(checks, "gather", gather)
    with pytest.raises(StrategyError, match="changed the network's weights"):
        leaves_the_model_alone(STRATEGIES.get("margin"))
    with pytest.raises(StrategyError, match="hidden labels are other ones"):
        does_not_move_with_hidden_labels(STRATEGIES.get("margin"))


@pytest.mark.slow
@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("strategy", list(STRATEGIES), ids=lambda strategy: strategy.name)
def test_every_strategy_keeps_the_promises_that_need_a_network(strategy, check):
    check(strategy)


def test_a_decorated_file_keeps_its_title(tmp_path):
    path = tmp_path / "titled.py"
    path.write_text(
        'from al_core.query.strategies import strategy\n\n\n@strategy("My own", family="diversity")\n'
        'def of_mine(probs):\n    """Prefer."""\n    return probs[:, 0]\n'
    )
    try:
        assert load_strategy(str(path)).title == "My own"
    finally:
        STRATEGIES._entries.pop("of_mine")
        STRATEGIES._names.pop("ofmine")
