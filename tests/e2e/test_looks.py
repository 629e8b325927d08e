"""What everybody must be able to see and reach: contrast, names of controls, focus, narrow screens."""

import pytest
from conftest import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PAGES = (
    "",
    "setup",
    "label",
    "train",
    "curves",
    "compare",
    "queries",
    "explore",
    "errors",
    "data",
    "settings",
    "help",
)

# Walks the page and every shadow tree in it.
WALK = """
const all = (root) => [...root.querySelectorAll('*')].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
const up = (e) => e.parentElement ?? e.getRootNode().host ?? null;
const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getBoundingClientRect().width > 1;
"""  # noqa: E501 - JavaScript

LOW_CONTRAST = (
    "() => {"
    + WALK
    + """
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = '#000'; canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
};
const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => {
  const layers = [];
  // a slider's value hangs above its thumb, not on it
  for (let at = e.closest('[data-testid=stSliderThumbValue]') ? document.body : e; at; at = up(at)) {
    const style = getComputedStyle(at);
    if (style.backgroundImage !== 'none') return null;  // pictures and fades: not for a formula
    const colour = rgba(style.backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
};
const found = [];
for (const e of all(document)) {
  const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(' ').trim();
  if (!text || !seen(e) || e.closest('button:disabled, [aria-disabled=true], svg, [data-testid=stIconMaterial]')) continue;
  const style = getComputedStyle(e), under = ground(e);
  if (!under || style.display === 'none') continue;
  let opacity = 1;
  for (let at = e; at; at = up(at)) opacity *= Number(getComputedStyle(at).opacity);
  const colour = rgba(style.color);
  const drawn = over([colour[0], colour[1], colour[2], colour[3] * opacity], under);
  const [a, b] = [light(drawn), light(under)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${JSON.stringify(text.slice(0, 40))} ${e.tagName}.${e.className}`);
}
return [...new Set(found)];
}"""  # noqa: E501 - JavaScript
)

NAMELESS = (
    "() => {"
    + WALK
    + """
const words = (e) => (e.getAttribute('aria-label') || e.textContent || e.title || e.placeholder || '').trim()
  || (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => e.getRootNode().getElementById(id)?.textContent ?? '').join('')
  || [...(e.labels ?? [])].map((label) => label.textContent).join('')
  || e.querySelector('svg title, img[alt]')?.alt;
const controls = all(document).filter((e) => e.matches('button, input:not([type=hidden]), select, textarea, a[href], [role=button]'));
const pictures = all(document).filter((e) => e.matches('img:not([alt])'));
return [...controls.filter((e) => seen(e) && !words(e)), ...pictures.filter(seen)].map((e) => e.outerHTML.slice(0, 160));
}"""  # noqa: E501 - JavaScript
)


@pytest.fixture(params=["light", "dark"])
def themed(request, browser):
    made = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=request.param)
    made.set_default_timeout(PATIENCE)
    yield made.new_page()
    made.close()


def show(page, server, path):
    page.goto(f"{server.url}/{path}")
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(700)


def test_every_text_has_the_contrast_of_level_aa_in_both_themes(server, home, themed):
    record = home.experiment(rounds=2, name="contrast")
    low = {}
    for path in PAGES:
        show(themed, server, f"{path}?exp={record.id}")
        found = themed.evaluate(LOW_CONTRAST)
        if found:
            low[path or "home"] = found
    assert not low, "\n".join(f"{path}: {line}" for path, lines in low.items() for line in lines)


def test_every_control_and_picture_has_a_name(server, home, page):
    record = home.experiment(rounds=2, name="names")
    for path in PAGES:
        show(page, server, f"{path}?exp={record.id}")
        assert page.evaluate(NAMELESS) == [], path or "home"


def test_nothing_sticks_out_of_a_phone(server, home, browser):
    record = home.experiment(rounds=2, name="narrow")
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    try:
        for path in PAGES:
            show(page, server, f"{path}?exp={record.id}")
            main = page.get_by_test_id("stMain")
            wide, inner = main.evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert wide <= inner, path or "home"
    finally:
        context.close()


def test_the_focus_can_be_seen_on_its_way_through_the_label_page(server, home, page):
    record = home.experiment(rounds=1, name="focus")
    show(page, server, f"label?exp={record.id}")
    page.locator(".askwell .tile").first.wait_for()
    look = """() => {
      let e = document.activeElement;
      while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
      const s = getComputedStyle(e);
      return [e.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0, s.boxShadow !== 'none', e.outerHTML.slice(0, 120)];
    }"""  # noqa: E501 - JavaScript
    for _ in range(12):
        page.keyboard.press("Tab")
        tag, outlined, shadowed, html = page.evaluate(look)
        assert tag == "BODY" or outlined or shadowed, html
