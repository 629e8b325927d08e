"""Nothing moves under a person who labels: layout shifts, counted by the browser itself."""

import pytest
from conftest import PATIENCE
from test_label_grid import open_label, saved

pytestmark = pytest.mark.e2e
# All shifts count, those right after a key too: while one labels, every one is right after a key.
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const parts = entry.sources.map(({ node }) => `${node?.nodeName}.${node?.className ?? ""}`);
      window.shifts.push([entry.value, parts.join(", ")]);
    }
  }).observe({ type: "layout-shift" });
}"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LIMIT = 0.01  # a tenth of what counts as good on the web


@pytest.mark.parametrize("mode", ["grid", "single", "lanes"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["wide", "phone"])
def test_labeling_shifts_nothing(server, home, browser, mode, size):
    record = home.experiment(rounds=2, name=f"calm {mode} {size[0]}")
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    try:
        open_label(page, server, record)
        page.get_by_role("button", name=mode.capitalize()).first.click()
        page.wait_for_timeout(1500)  # what comes after the first paint is not labeling
        page.evaluate(WATCH)
        for key in ("7", "3", " ", "q", "x", "Backspace", "u", "1", "f", "4", "5", "6"):
            page.keyboard.press(key)
            page.evaluate(SETTLED)
        saved(page)
        page.wait_for_timeout(1200)  # the counters of the page are read again
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < LIMIT, shifts
        # and the count would see one
        page.evaluate("document.querySelector('.stMain').style.paddingTop = '120px'")
        page.wait_for_function(f"() => window.shifts.some(([value]) => value > {LIMIT})")
    finally:
        context.close()
