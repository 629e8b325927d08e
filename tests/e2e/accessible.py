"""axe-core over a page of ours, as axe-playwright-python ships it: what is wrong, one line for each place.

A rule is left out only where Streamlit's own markup breaks it and nothing of ours can mend it: each entry of
`NOT_OURS` names the rule, the part of Streamlit's page, and why.
"""

from __future__ import annotations

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
NOT_OURS: tuple[tuple[str, str, str], ...] = (
    ("list", "stSidebarNavItems", "the navigation puts its links into divs between list and items"),
    ("listitem", "stSidebarNav", "the same list, seen from its items"),
    ("svg-img-alt", "metric_chart_", "Vega's marks in st.metric's small chart have a role and no name"),
)
_RUN = """options => {
  const within = (target) => {  // the test ids of what stands around the element
    const ids = [];
    const first = [target].flat(9)[0];
    for (let at = document.querySelector(first); at; at = at.parentElement) ids.push(at.dataset.testid ?? "");
    return ids.join(" ");
  };
  const place = ({ html, target, failureSummary }) =>
    ({ html, target: target.flat(9).join(" >> "), why: failureSummary, within: within(target) });
  return axe.run(document, options).then(({ violations }) =>
    violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map(place) })));
}"""
_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}


def findings(page: Page) -> list[dict[str, Any]]:
    """All violations of the page as it stands, shadow trees included, with those that are not ours."""
    page.evaluate(AXE_SCRIPT)
    return page.evaluate(_RUN, _OPTIONS)


def faults(page: Page, where: str) -> list[str]:
    """Serious and critical violations that are ours to mend, as lines."""
    return [
        f"{where}: {rule['id']} ({rule['impact']}): {node['target']}: {node['html'][:200]} -- {node['why']}"
        for rule in findings(page)
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
        if not _excluded(rule["id"], node)
    ]


def _excluded(rule: str, node: dict[str, Any]) -> bool:
    text = json.dumps([node["target"], node["html"], node["within"]])
    return any(rule == known and part in text for known, part, _ in NOT_OURS)
