import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import write_po

from tests.words import collected

PAGES = Path(__file__).with_name("in_brackets.py")


def bracketed(message):
    """A message in ⟦brackets⟧, the places of its values outside of them."""
    parts = re.split(r"(\{[^{}]*\})", message)
    return "".join(part if part.startswith("{") or not part.strip() else f"⟦{part}⟧" for part in parts)


@pytest.fixture
def language(tmp_path):
    """A catalogue of all that there is, in brackets."""
    catalog = collected()
    catalog.locale = "de"
    for message in catalog:
        if message.id:
            told = [bracketed(form) for form in ([message.id] if isinstance(message.id, str) else message.id)]
            message.string = told[0] if isinstance(message.id, str) else tuple(told)
    path = tmp_path / "askwell.po"
    with path.open("wb") as file:
        write_po(file, catalog)
    return path


@pytest.mark.slow
def test_no_page_says_a_word_that_is_in_no_catalogue(language):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PAGES)]
    env = {**os.environ, "AL_LANGUAGE": str(language)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:]
