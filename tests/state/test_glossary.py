import re
from pathlib import Path

import pytest

from state import glossary

PAGES = Path(__file__).resolve().parents[2] / "pages"


def test_no_name_means_two_things():
    names = [name.casefold() for term in glossary.TERMS.values() for name in (term.name, *term.also)]
    assert len(names) == len(set(names))


def test_terms_that_are_named_so_come_before_those_that_speak_of_it():
    terms = [term.name for term in glossary.found("margin")]
    assert terms[0] == "Margin"
    assert "Uncertainty" in terms
    assert glossary.found("no such thing") == []
    assert len(glossary.found("")) == len(glossary.TERMS)


def test_every_tooltip_quotes_a_term_that_there_is():
    used = {
        name
        for path in PAGES.rglob("*.py")
        for name in re.findall(r'meaning\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert used <= glossary.TERMS.keys()
    assert used


def test_a_term_that_is_not_there_is_no_tooltip():
    with pytest.raises(KeyError):
        glossary.meaning("flux")
