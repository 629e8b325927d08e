"""What a round's training promises: the same weights again, honest metrics, and a way out of trouble."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from al_core.engine import checkpoint, trainer
from al_core.engine.augment import to_floats
from al_core.engine.inference import evaluating, predict
from al_core.engine.trainer import TrainData, fit
from al_core.errors import DeviceError, ModelError, TrainingError


class Stop(Exception):
    """What a control raises to end a job."""


def test_training_tells_the_classes_apart(train, config, dataset):
    network = train(config.changed(train__epochs=15))
    probs = predict(network, dataset.test, np.arange(40)).probs
    assert (probs.argmax(1) == dataset.test.labels).mean() > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(train, config, tmp_path):
    first = train(config).state_hash()
    assert train(config, checkpoints=tmp_path / "other").state_hash() == first
    assert train(config.changed(seed=1)).state_hash() != first


def test_strategy_and_its_options_do_not_touch_the_weights(train, config):
    other = config.changed(query__strategy="entropy", query__n_new=7, query__options={"k": 3}, name="other")
    assert train(config).state_hash() == train(other).state_hash()


def test_rounds_start_from_different_weights(train, config):
    assert train(config, round=0).state_hash() != train(config, round=1).state_hash()


def test_training_leaves_the_global_random_state_and_settings_alone(train, config):
    state, flag = torch.random.get_rng_state(), torch.are_deterministic_algorithms_enabled()
    train(config)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.are_deterministic_algorithms_enabled() == flag


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_killed_round_resumes_to_the_same_bits(train, config, tmp_path, monkeypatch, after, optimizer):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    config = config.changed(train__epochs=7, train__optimizer=optimizer, train__augment=True)
    told = []
    expected = train(config, checkpoints=tmp_path / "whole", on_epoch=told.append)

    def kill(record):
        if record.epoch == after:
            raise Stop

    with pytest.raises(Stop):
        train(config, on_epoch=kill)
    again = []
    resumed = train(config, on_epoch=again.append)
    assert resumed.state_hash() == expected.state_hash()
    facts = [(r.epoch, r.steps, r.train_loss, r.learning_rate) for r in told]
    assert [(r.epoch, r.steps, r.train_loss, r.learning_rate) for r in again] == facts


def test_a_kill_between_batches_loses_the_epoch_only(train, config, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    expected = train(config, checkpoints=tmp_path / "whole").state_hash()
    calls = iter(range(1000))

    def control():
        if next(calls) == 8:
            raise Stop

    with pytest.raises(Stop):
        train(config, control=control)
    assert train(config).state_hash() == expected


def test_fast_epochs_are_not_written_one_by_one(train, config, tmp_path):
    train(config, checkpoints=tmp_path / "c")
    assert not (tmp_path / "c" / checkpoint.FILE).exists()


@pytest.mark.parametrize("change", ["seed", "labels", "round"])
def test_a_checkpoint_of_another_run_is_not_resumed(train, config, dataset, tmp_path, monkeypatch, change):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    train(config)
    options = {"round": 1} if change == "round" else {}
    if change == "labels":
        options["data"] = TrainData(np.arange(20), (dataset.train.labels[:20] + 1) % 3)
    other = config.changed(seed=5) if change == "seed" else config
    assert (
        train(other, **options).state_hash()
        == train(other, **options, checkpoints=tmp_path / "fresh").state_hash()
    )


def test_a_torn_checkpoint_means_beginning_anew(train, config, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    expected = train(config).state_hash()
    file = tmp_path / "checkpoints" / checkpoint.FILE
    file.write_bytes(file.read_bytes()[:1000])
    assert train(config).state_hash() == expected
    assert "begins anew" in caplog.text


def test_every_epoch_trains_in_training_mode_though_validation_switches_it_off(
    train, config, dataset, monkeypatch
):
    """Defect 3 of the first seed: after the first epoch it trained in evaluation mode."""
    modes = []
    step = trainer._Training._step

    def watched(self, positions, batch_of):
        modes.append(self.module.training and self.module.classifier.drop.training)
        return step(self, positions, batch_of)

    monkeypatch.setattr(trainer._Training, "_step", watched)
    ids = np.arange(20, 40)
    data = TrainData(np.arange(20), dataset.train.labels[:20], ids, dataset.train.labels[ids])
    train(config, data=data)
    assert len(modes) >= 8
    assert all(modes)


def test_losses_and_accuracies_are_averaged_over_samples(train, config, dataset):
    """Defect 4 of the first seed: a last batch of 2 weighed as much as one of 64."""
    ids = np.arange(20, 53)
    labels = dataset.train.labels[ids]
    told = []
    data = TrainData(np.arange(19), dataset.train.labels[:19], ids, labels)
    network = train(config.changed(train__schedule="constant"), data=data, on_epoch=told.append)
    with evaluating(network.module), torch.inference_mode():
        logits = network.module(to_floats(torch.from_numpy(dataset.train.read(ids))))
    loss = float(F.cross_entropy(logits, torch.from_numpy(labels)))
    hits = float((logits.argmax(1).numpy() == labels).mean())
    assert told[-1].validation_loss == pytest.approx(loss, abs=1e-4)
    assert told[-1].validation_accuracy == pytest.approx(hits)
    assert told[-1].train_accuracy * 19 == pytest.approx(round(told[-1].train_accuracy * 19))


def test_few_labels_still_get_the_minimum_of_steps(train, config):
    told = []
    train(config.changed(train__min_steps=25, train__batch_size=64), on_epoch=told.append)
    assert told[-1].steps == len(told) == 25


def test_a_single_left_over_sample_does_not_break_batch_norm(train, config, dataset):
    data = TrainData(np.arange(9), dataset.train.labels[:9])
    for size in (8, 1):
        train(config.changed(train__batch_size=size), data=data)


def test_one_class_is_refused_with_the_remedy(train, config, dataset):
    ids = np.flatnonzero(dataset.train.labels == 1)[:5]
    with pytest.raises(TrainingError, match="at least two classes: label further images"):
        train(config, data=TrainData(ids, dataset.train.labels[ids]))
    with pytest.raises(TrainingError, match="no images"):
        train(config, data=TrainData(ids[:0], dataset.train.labels[ids[:0]]))


def test_a_loss_that_is_not_a_number_rolls_back_and_halves_the_rate(train, config, monkeypatch):
    calls = {"n": 0}
    step = trainer._Training._step

    def poisoned(self, positions, batch_of):
        calls["n"] += 1
        sums = step(self, positions, batch_of)
        if calls["n"] == 5:
            with torch.no_grad():
                next(self.module.parameters()).fill_(float("nan"))
        return sums

    monkeypatch.setattr(trainer._Training, "_step", poisoned)
    told = []
    network = train(
        config.changed(train__schedule="constant", train__learning_rate=1e-3), on_epoch=told.append
    )
    assert network.facts["rollbacks"] == 1
    assert network.facts["learning_rate_scale"] == 0.5
    assert told[0].learning_rate == pytest.approx(1e-3)
    assert told[-1].learning_rate == pytest.approx(5e-4)
    assert [r.epoch for r in told] == list(range(len(told)))
    assert all(torch.isfinite(p).all() for p in network.module.parameters())


def test_after_three_rollbacks_training_fails_and_says_what_to_do(train, config, monkeypatch):
    monkeypatch.setattr(
        trainer._Training, "_step", lambda self, positions, batch_of: torch.full((2,), float("nan"))
    )
    with pytest.raises(
        TrainingError,
        match=r"diverged 4 times in round 0, the last time in epoch.*set train\.learning_rate below",
    ):
        train(config)


def test_full_memory_halves_what_is_computed_at_once_and_keeps_the_batch(train, config, monkeypatch):
    seen = []
    forward = torch.nn.Linear.forward

    def limited(self, x):
        if self.training:
            if len(x) > 4:
                raise torch.OutOfMemoryError("CUDA out of memory")
            seen.append(len(x))
        return forward(self, x)

    monkeypatch.setattr(torch.nn.Linear, "forward", limited)
    network = train(config)
    assert max(seen) <= 4
    assert network.facts["micro_batch"] == 4
    assert network.facts["steps"] == 12  # 3 batches in each of 4 epochs, as without the limit


def test_parts_of_a_batch_add_up_to_the_whole_gradient(config, dataset, data, tmp_path):
    """Without BatchNorm and dropout the two are the same function."""
    config = config.changed(train__batch_size=10)
    from al_core.engine.device import choose
    from al_core.engine.network import Network, NetworkSpec, build_module

    gradients = []
    for micro in (10, 3):
        spec = NetworkSpec.of(config, dataset, 0)
        plan = choose(config.train)
        network = Network(build_module(spec, plan), plan, spec)
        training = trainer._Training(config, dataset, data, network, 0, tmp_path, lambda: None)
        network.module.eval()
        training.standing.micro_batch = micro
        training._step(np.arange(10), training.source.epoch(0, 0, 0))
        gradients.append(torch.cat([p.grad.flatten() for p in network.module.parameters()]))
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


def test_memory_for_nothing_at_all_is_an_error_in_words(train, config, monkeypatch):
    def full(self, x):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.nn.Linear, "forward", full)
    with pytest.raises(DeviceError, match=r"memory ran out on cpu.*smaller model"):
        train(config)


def test_early_stopping_restores_the_best_weights(train, config, dataset):
    ids = np.arange(20, 40)
    data = TrainData(np.arange(20), dataset.train.labels[:20], ids, dataset.train.labels[ids])
    told = []
    config = config.changed(
        train__epochs=60, train__early_stopping=3, train__schedule="constant", train__learning_rate=0.03
    )
    network = train(config, data=data, on_epoch=told.append)
    losses = [r.validation_loss for r in told]
    best = int(np.argmin(losses))
    assert network.facts["best_epoch"] == best
    assert len(told) == best + 4 < 60
    probs = predict(network, dataset.train, ids).probs
    loss = -np.log(probs[np.arange(20), dataset.train.labels[ids]]).mean()
    assert loss == pytest.approx(losses[best], abs=1e-4)


def test_early_stopping_resumes_to_the_same_bits(train, config, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    ids = np.arange(20, 40)
    data = TrainData(np.arange(20), dataset.train.labels[:20], ids, dataset.train.labels[ids])
    config = config.changed(train__epochs=12, train__early_stopping=4, train__learning_rate=0.03)
    expected = train(config, data=data, checkpoints=tmp_path / "whole").state_hash()

    def kill(record):
        if record.epoch == 5:
            raise Stop

    with pytest.raises(Stop):
        train(config, data=data, on_epoch=kill)
    assert train(config, data=data).state_hash() == expected


def test_early_stopping_without_validation_is_refused(train, config):
    with pytest.raises(TrainingError, match="early_stopping=3 needs validation images"):
        train(config.changed(train__early_stopping=3))


def test_a_warm_start_begins_with_the_given_weights(train, config, tmp_path):
    first = train(config)
    first.save(tmp_path / "w.safetensors")
    # a learning rate of almost nothing shows what it began with
    still = config.changed(
        train__learning_rate=1e-12, train__epochs=1, train__min_steps=0, train__start="warm"
    )
    arrays = {name: value.numpy() for name, value in first.module.state_dict().items()}
    for start in (tmp_path / "w.safetensors", arrays):
        warm = train(still, round=1, start=start)
        weight = warm.module.classifier.head.weight
        torch.testing.assert_close(weight, first.module.classifier.head.weight, atol=1e-6, rtol=0)


def test_a_warm_start_of_another_model_is_refused(config, dataset, data, tmp_path):
    with pytest.raises(ModelError, match="not of this model with 3 classes"):
        fit(
            config,
            dataset,
            data,
            round=0,
            checkpoints=tmp_path,
            start={"other.weight": np.zeros(3, np.float32)},
        )


def test_control_is_asked_between_batches_and_progress_is_told(train, config):
    calls, done = [], []
    train(config, control=lambda: calls.append(1), on_progress=lambda *a: done.append(a))
    assert len(calls) >= 12
    assert [d[0] for d in done] == [1, 2, 3, 4]
    assert all(d[1] == 4 and math.isfinite(d[2]) for d in done)


def test_bf16_trains_too(train, config, dataset):
    network = train(config.changed(train__precision="bf16", train__epochs=15))
    assert next(network.module.parameters()).dtype is torch.float32
    probs = predict(network, dataset.test, np.arange(40)).probs
    assert (probs.argmax(1) == dataset.test.labels).mean() > 0.8


def of_weight(data, *weights):
    return TrainData(data.ids, data.classes, weights=np.array(weights, np.float32))


@pytest.mark.parametrize("frozen", [False, True], ids=["whole", "frozen"])
def test_weights_of_one_change_nothing_and_lighter_labels_pull_less(train, config, dataset, data, frozen):
    config = config.changed(model__frozen=frozen, train__epochs=15)
    wrong = np.arange(6)
    classes = data.classes.copy()
    classes[wrong] = (classes[wrong] + 1) % dataset.num_classes
    data = TrainData(data.ids, classes)

    def chance(*weights):
        """What the network gives the wrong labels of the images that carry them."""
        given = data if not weights else of_weight(data, *weights)
        probs = predict(train(config, data=given), dataset.train, wrong).probs
        return float(probs[wrong, classes[wrong]].mean())

    full = chance()
    assert chance(*[1.0] * 20) == pytest.approx(full, abs=1e-4)
    assert chance(*[0.05] * 6, *[1.0] * 14) < full - 0.1


def test_weights_are_part_of_the_data_s_identity_and_copies_count_one(data):
    assert len({data.hash(), of_weight(data, *[1.0] * 20).hash(), of_weight(data, *[0.5] * 20).hash()}) == 3
    copies = np.zeros((2, 8, 8, 3), np.uint8)
    with_copies = TrainData(
        data.ids, data.classes, copies=copies, copy_classes=np.array([0, 1]),
        weights=np.full(20, 0.5, np.float32),
    )  # fmt: skip
    assert with_copies.target_weights.tolist() == [0.5] * 20 + [1.0, 1.0]
    assert data.target_weights is None
