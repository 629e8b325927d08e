"""The main path without a pointer: Home, teach, label, train, curves, set up, settings."""

import re

import pytest
from conftest import PATIENCE, Home
from test_first_run import answer, next_query, visited

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
__all__ = ["visited"]
FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const named = (at?.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '');
  const label = at?.labels ? [...at.labels].map((each) => each.textContent).join(' ') : '';
  const seen = at && at.checkVisibility() && at.getBoundingClientRect().bottom > 0;
  return { name: [at?.getAttribute('aria-label') ?? '', ...named, label, at?.matches('button, a, summary, [role]') ? at.textContent : ''].join(' '), seen, tag: at?.tagName };
}"""  # noqa: E501 - JavaScript


def tab_to(page, name, *, most=90):
    """Press Tab until the focus is on something of that name."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if re.search(name, focused["name"].strip()):
            assert focused["seen"], focused
            return
        passed.append(f"{focused['tag']} {focused['name'].strip()[:40]}")
    raise AssertionError(f"no way to {name!r} by Tab; passed {passed}")


def test_the_main_path_needs_no_pointer(visited):
    server, page, _ = visited
    page.goto(server.url)
    page.get_by_role("button", name="Teach it in 90 seconds").wait_for()
    tab_to(page, "Teach it in 90 seconds")
    page.keyboard.press("Enter")
    page.locator(".askwell .tile").first.wait_for(timeout=PATIENCE)
    home = Home(server.settings)
    try:
        record = home.store.experiments()[0]
        next_query(page, home, record, 0)
        answer(page, home, record)
        page.keyboard.press("Control+Enter")
        next_query(page, home, record, 1)
        assert [r.num_labeled for r in home.store.rounds(record.id)] == [20, 40]
    finally:
        home.store.close()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")

    tab_to(page, "Curves$")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Learning curve").wait_for()
    tab_to(page, "Set up$")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Set up a session").wait_for()
    tab_to(page, "Images$")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_label("Find a strategy").wait_for()
    tab_to(page, "Find a strategy")
    page.keyboard.type("entropy")
    page.get_by_role("radio", name=re.compile("Highest entropy Prefer")).wait_for()
    tab_to(page, "Settings$")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Theme", exact=True).wait_for()
    tab_to(page, "As the system")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.get_by_text("Kept in this browser.").wait_for()
