"""Every page in a language whose texts are the English in ⟦brackets⟧: what stands outside was not looked up.

Run by test_page_language.py in a process of its own, as a process has one language.
"""

import json
import re

import pytest

PAGES = (
    "home", "setup", "label", "train", "curves", "compare", "runs", "queries", "explore", "errors", "predict",
    "review", "data", "settings", "help",
)  # fmt: skip
READ = {"label", "body", "help", "placeholder", "title", "options", "value", "alt", "text", "delta"}
NAMES = (
    "a session", "Digits (8 x 8)", "digits", "small_cnn", "u_herding", "Quick", "HTML", "PDF", "PNG", "SVG",
    "CSV", "JSON", "PCA", "t-SNE", "UMAP", "test@example.com", "SQLite", "CPU", "MB",
)  # fmt: skip
"""Of sessions, data, formats and methods: the same in every language."""


def said(message):
    """What a person reads of an element: its texts at any depth, and the heads of a table's columns."""
    for field, value in message.ListFields():
        many = value if not isinstance(value, str | bytes) and hasattr(value, "__iter__") else [value]
        for one in many:
            if isinstance(one, str) and field.name in READ:
                yield one
            elif isinstance(one, str) and field.name == "columns" and one.startswith("{"):
                heads = [column for column in json.loads(one).values() if column]
                yield from (str(head[key]) for head in heads for key in ("label", "help") if head.get(key))
            elif hasattr(one, "ListFields"):
                yield from said(one)


def outside(app):
    """Texts with a word that is neither in brackets, nor code, nor a name."""
    found = set()
    read = 0
    for node in app._tree:
        for text in said(node.proto) if getattr(node, "proto", None) is not None else ():
            read += "⟦" in text
            rest = re.sub(r"⟦[^⟦⟧]*⟧|<style>.*</style>", "", text, flags=re.DOTALL)
            rest = re.sub(r"`[^`]*`|:material/\w+:|:[a-z-]+\[|\\(?=\W|_)|/tmp/\S*", "", rest)
            for value in NAMES:
                rest = rest.replace(value, "")
            if re.search("[A-Za-z]{2}", rest):
                found.add(text)
    assert read > 3
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_session(visit, page):
    app = visit(page)
    assert not app.exception
    assert outside(app) == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_a_session(visit, waiting, page):
    app = visit(page, exp=waiting(0.5, 0.75).id)
    assert not app.exception
    assert outside(app) == set()
