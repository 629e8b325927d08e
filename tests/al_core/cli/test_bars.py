"""Progress bars: on a terminal, on none else, and never in a command's answer."""

import io
import sys

import pytest

from al_core.cli import main
from al_core.cli.bars import bar

CHECKED = """

def unsure(probs):
    '''Prefer images whose likeliest class is not likely.'''
    return -probs.max(axis=1).astype(float)
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_counts_on_a_terminal_and_is_gone_at_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())  # in the test: capturing begins anew there
    with bar("pictures") as progress:
        progress(3, 7)
    assert "pictures" in terminal.getvalue()
    assert "3/7" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
    before = terminal.getvalue()
    with bar("quietly", quiet=True) as progress:
        progress(1, 2)
    assert terminal.getvalue() == before


def test_without_a_terminal_there_is_none(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with bar("pictures") as progress:
        progress(3, 7)
    assert shown.getvalue() == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_check_strategy_and_verify_show_how_far_they_are(monkeypatch, settings, tmp_path, capsys, quiet):
    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    file = tmp_path / "mine.py"
    file.write_text(CHECKED)
    more = ["--quiet"] if quiet else []
    main(["check-strategy", str(file), "--no-model", *more])
    assert ("checks" in terminal.getvalue()) is not quiet
    assert main(["verify", *more]) == 0
    assert ("artefacts" in terminal.getvalue()) is not quiet
    answer = capsys.readouterr().out
    assert "ok    " in answer
    assert "whole: 0 experiments" in answer
    assert "it/s" not in answer
