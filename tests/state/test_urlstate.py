from hypothesis import given
from hypothesis import strategies as st

from state.urlstate import UrlState, clamp, format, parse

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
rounds = st.integers(0, 999_999)


@given(st.one_of(st.none(), ids), st.one_of(st.none(), rounds))
def test_an_address_that_we_wrote_reads_back_as_it_was(experiment, number):
    state = UrlState(experiment, number)
    assert parse(format(state)) == state


@given(st.dictionaries(st.sampled_from(["exp", "round", "other"]), st.text()))
def test_no_address_raises_and_what_is_refused_is_left_out_and_said(params):
    state = parse(params)
    for name, value in (("exp", state.experiment), ("round", state.round)):
        given = params.get(name)
        if given and value is None:
            assert state.refused
    assert state.experiment is None or state.experiment == params["exp"]


@given(rounds, st.integers(0, 50))
def test_a_clamped_round_exists_and_a_change_is_said(number, count):
    state = clamp(UrlState("a", number), count)
    if count == 0:
        assert state.round is None
    elif number < count:
        assert (state.round, state.refused) == (number, ())
    else:
        assert state.round == count - 1
        assert str(number) in state.refused[-1]


def test_paths_markup_and_negative_rounds_are_refused_by_name():
    state = parse({"exp": "../../etc", "round": "-1"})
    assert (state.experiment, state.round) == (None, None)
    assert len(state.refused) == 2
    assert "etc" not in " ".join(state.refused)
