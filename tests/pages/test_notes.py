import streamlit as st

from pages.components.notes import heard


def test_a_note_is_heard_once_for_each_time_that_it_was_written(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    told = []
    callback = heard("grid", "train", told.append)
    callback()
    for note in ({"rounds": 1, "at": 10}, {"rounds": 1, "at": 10}, {"rounds": 1, "at": 12}, "forged"):
        st.session_state["grid"] = {"train": note}
        callback()
    assert told == [{"rounds": 1, "at": 10}, {"rounds": 1, "at": 12}]
