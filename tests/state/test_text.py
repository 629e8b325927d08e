import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.text import ago, duration, percent, plain, sentence


@given(st.text())
def test_plain_leaves_no_punctuation_that_markdown_could_read(text):
    made = plain(text)
    for place, letter in enumerate(made):
        if letter in "*_`[]()<>#!$:~|&{}+-":
            assert place
            assert made[place - 1] == "\\"


@pytest.mark.parametrize(
    "text",
    ["![x](http://evil.test/a.png)", "**b**", ":red[x]", "<img src=x>", "$x$", "a\n# heading", ":smile:"],
)
def test_plain_keeps_every_letter_of_what_it_escapes(text):
    made = plain(text).replace("\\", "").replace("\u2060", "")
    assert made == " ".join(text.replace("\\", "").split())


def test_plain_breaks_addresses_so_that_they_are_no_links():
    assert "://" not in plain("http://evil.test").replace("\\", "")
    assert "www" not in plain("www.evil.test")


def test_numbers_are_put_in_words():
    assert percent(0.8649) == "86.5 %"
    assert percent(None) == "–"
    assert ago(5) == "just now"
    assert ago(61) == "1 minute ago"
    assert ago(3 * 86_400) == "3 days ago"
    assert duration(30) == "30 s"
    assert duration(600) == "10 min"
    assert duration(3 * 3600 + 300) == "3 h 05 min"


def test_an_error_begins_with_a_capital_and_stays_plain():
    assert sentence("the file *x* is gone") == "The file \\*x\\* is gone"
    assert sentence("") == ""
