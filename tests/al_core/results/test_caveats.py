"""Warnings where runs come from different machines, and where validation outnumbers the labels."""

from dataclasses import replace

from al_core.config import DataConfig
from al_core.records import RoundRecord
from al_core.results.caveats import different_machines, much_validation

MANIFEST = {"device": "cpu, 2 threads", "torch": "2.14", "numpy": "2.3", "askwell": "0.1", "state_hash": "a"}


def rounds(*labels, **changes):
    return [
        RoundRecord("e", i, n, 0, {}, None, (), {}, {}, MANIFEST | changes, 0.0) for i, n in enumerate(labels)
    ]


def test_one_machine_is_nothing_to_warn_of_whatever_it_trained():
    assert different_machines(rounds(20, 40) + rounds(20, state_hash="b")) is None
    assert different_machines([]) is None
    bare = [replace(r, manifest={}) for r in rounds(20)]
    assert different_machines(bare + rounds(40)) is None  # an old record says nothing


def test_what_differs_is_named_with_its_values():
    said = different_machines(rounds(20) + rounds(20, device="NVIDIA H100", torch="2.15"))
    assert said.startswith(
        "The runs differ in the device (cpu, 2 threads; NVIDIA H100) and torch (2.14; 2.15)."
    )
    assert "Ji et al., 2023" in said


def test_validation_that_outnumbers_the_labels_is_said_with_its_numbers():
    data = DataConfig(round_validation=0.1)
    assert much_validation(data, 150, rounds(20, 40)) is None
    some = much_validation(data, 300, rounds(20, 40))
    assert some.startswith(
        "30 validation images, with their labels, are more than the labels until there are 30"
    )
    every = much_validation(data, 3000, rounds(20, 40))
    assert "300 validation images, with their labels, are more than all labels to the end (20 to 40)" in every
    assert much_validation(DataConfig(), 3000, rounds(20)) is None
    assert much_validation(data, 3000, []) is None
