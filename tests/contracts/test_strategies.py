"""Every registered strategy keeps every promise, and the kit notices those that do not."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from al_core import testing
from al_core.errors import StrategyError
from al_core.query import strategies
from al_core.query.strategies import STRATEGIES, Strategy
from pages.components.setup_model import spellings

REGISTERED = list(STRATEGIES)

# the seeds' names, which saved commands and configs still use; and the second seed's eight families
SEED_NAMES = {
    "random_sampling": "random",
    "least_confident": "least_confidence",
    "margin_sampling": "margin",
    "entropy_sampling": "entropy",
    "RandomSampling": "random",
    "LeastConfidence": "least_confidence",
    "MarginSampling": "margin",
    "EntropySampling": "entropy",
    "LeastConfidenceDropout": "mc_least_confidence",
    "MarginSamplingDropout": "mc_margin",
    "EntropySamplingDropout": "mc_entropy",
    "KMeansSampling": "kmeans",
    "KCenterGreedy": "k_center",
    "BALDDropout": "bald",
    "AdversarialBIM": "bim",
    "AdversarialDeepFool": "deep_fool",
    "SSRAEKmeansSampling": "kmeans_texture",
    "VCTexKmeansSampling": "kmeans_texture",
    "SSRAEHCSampling": "hierarchical_kmeans",
    "VCTexHCSampling": "hierarchical_kmeans",
    "SSRAEKmeansHCSampling": "hierarchical_kmeans",
    "VCTexKmeansHCSampling": "hierarchical_kmeans",
    "bayesian_sampling": "mean_std",
    "core_set": "k_center",
    "CoreSet": "k_center",
    "uncertainty": "margin",
    "diversity": "kmeans",
    "query by committee": "qbc_kl",
    "core-set": "k_center",
    "adversarial": "deep_fool",
    "reinforcement learning": "bandit",
    "expected model change": "egl",
    "Bayesian": "mean_std",
}


@pytest.mark.parametrize("check", testing.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("strategy", REGISTERED, ids=lambda strategy: strategy.name)
def test_strategy(strategy, check):
    check(strategy)


@pytest.mark.parametrize("strategy", REGISTERED, ids=lambda strategy: strategy.name)
def test_a_strategy_is_one_file_of_its_name(strategy):
    folder = Path(inspect.getfile(strategies)).parent
    assert Path(inspect.getfile(strategy.function)) == folder / f"{strategy.name}.py"


@pytest.mark.parametrize(("seed_name", "name"), SEED_NAMES.items())
def test_the_seeds_names_are_understood(seed_name, name):
    assert STRATEGIES.get(seed_name).name == name


@pytest.mark.parametrize(("seed_name", "name"), SEED_NAMES.items())
def test_the_setup_pages_search_finds_the_seeds_names(seed_name, name):
    """The card's search field looks for what is typed, in small letters, in the card's words."""
    entry = STRATEGIES.get(name)
    words = [entry.title, entry.name, entry.idea, *(s for n in (name, *entry.aliases) for s in spellings(n))]
    assert seed_name.lower() in " ".join(words).lower()


def test_an_unknown_strategy_is_refused_with_the_nearest_name():
    with pytest.raises(StrategyError, match=r"no strategy 'margn'; did you mean 'margin'\? known: .*random"):
        STRATEGIES.get("margn")


def unseeded(num_candidates: int, *, k, rng):
    """Draw from elsewhere."""
    return np.random.default_rng().permutation(num_candidates)[:k]


def first_ones(probs):
    """Prefer the first."""
    return -np.arange(len(probs))


def by_log(probs):
    """Take the logarithm of nothing."""
    with np.errstate(all="ignore"):
        return (probs * np.log(probs)).sum(axis=1)


def alternating(embeddings, *, k, rng):
    """Pick positions, whatever lies there."""
    return np.arange(len(embeddings))[:k]


def repeating(num_candidates: int, *, k, rng):
    """Pick with replacement."""
    return rng.integers(num_candidates, size=k)


def too_few(num_candidates: int, *, k, rng):
    """Pick one less."""
    return np.arange(k - 1)


def writing(probs):
    """Write over what it was given."""
    probs[0] = 0
    return probs[:, 0]


def clumsy(labeled_embeddings, num_candidates: int, *, k, rng):
    """Fail where nothing is labeled: it needs a model, so only one label is promised."""
    return rng.permutation(num_candidates)[: k + 0 * labeled_embeddings[1].astype(int).sum()]


@pytest.mark.parametrize(
    ("function", "check", "error"),
    [
        (unseeded, testing.repeats_itself_with_the_same_seed, "outside its rng"),
        (first_ones, testing.chooses_the_same_images_in_any_order, "order of the pool"),
        (alternating, testing.chooses_the_same_images_in_any_order, "order of the pool"),
        (by_log, testing.stands_certainty, "not finite"),
        (repeating, testing.picks_the_whole_pool, "repeat another"),
        (too_few, testing.picks_distinct_positions, "shape"),
        (writing, testing.leaves_its_inputs_alone, "read-only"),
        (clumsy, testing.stands_few_labels, "out of bounds"),
    ],
)
def test_the_kit_notices_a_broken_promise(function, check, error):
    broken = Strategy.of(function, "Broken", family="baseline")
    with pytest.raises((StrategyError, ValueError, IndexError), match=error):
        check(broken)


def test_a_strategy_of_ones_own_passes_without_being_registered():
    def variance(probs):
        """Prefer probabilities that vary little."""
        return -probs.astype(np.float64).var(axis=1)

    own = Strategy.of(variance, "Least variance", family="uncertainty")
    for check in testing.CHECKS:
        check(own)
    assert "variance" not in STRATEGIES


def test_listing_the_strategies_imports_nothing_heavy():
    """Pages list them in the browser's process."""
    heavy = ("torch", "sklearn", "scipy", "streamlit", "al_core.engine", "al_core.data", "al_core.store")
    code = (
        "import sys; from al_core.query.strategies import STRATEGIES; list(STRATEGIES)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
