import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.data.names import Names, numbered

ODD = [
    "b.png", "a/ü.png", "a/u\u0308.png", "", "a\nb", "-rf", "😀.png", "a" * 255, "a" * 256 + "b", "=1+1",
    os.fsdecode(b"\xff\xfe.jpg"), "a b", "A B", "..", "%2e",
]  # fmt: skip
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=30)


@given(texts)
def test_order_is_that_of_the_bytes(names):
    assert [names[i] for i in Names.pack(names).order()] == sorted(names, key=os.fsencode)


@given(texts, st.text(st.characters(max_codepoint=127), min_size=1, max_size=3))
def test_containing_finds_what_a_loop_finds(names, text):
    found = Names.pack(names).containing(text)
    looked = [text.lower() in "".join(c.lower() if c.isascii() else c for c in name) for name in names]
    assert found.tolist() == looked


def test_odd_names_are_found_and_never_across_the_seam_of_two():
    names = Names.pack(ODD)
    assert np.flatnonzero(names.containing("ü")).tolist() == [1, 2]
    assert np.flatnonzero(names.containing("a b")).tolist() == [11, 12]
    assert np.flatnonzero(names.containing("\udcff")).tolist() == [10]
    assert not Names.pack(["ab", "cd"]).containing("bc").any()
    assert names.containing("").all()


def test_a_needle_on_the_edge_of_a_block_is_found(monkeypatch):
    monkeypatch.setattr("al_core.data.names._BLOCK", 7)
    names = Names.pack([f"n{i:03d}" for i in range(50)])
    for i in range(50):
        assert names.containing(f"n{i:03d}").sum() == 1


@pytest.mark.parametrize("count", [0, 1, 12, 1_000_001])
def test_numbered_names_are_those_that_a_loop_would_make(count):
    names = numbered("train-", count, ".png")
    assert len(names) == count
    for i in {0, count // 2, count - 2, count - 1} if count > 1 else range(count):
        assert names[i] == f"train-{i:06d}.png"
