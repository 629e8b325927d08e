/* What the person chose on the Settings page, put into force before Streamlit starts: it stands in the head of
 * every page (state/web/shell.py). Streamlit keeps a theme for each address; here it is one for all of them.
 */
(() => {
  const LOOK = "askwell.look";
  const calm = new CSSStyleSheet();
  calm.replaceSync(
    "*, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important; " +
      "transition-duration: 1ms !important; transition-delay: 0s !important; scroll-behavior: auto !important; }",
  );
  function look() {
    try {
      return JSON.parse(localStorage.getItem(LOOK) ?? "{}") ?? {};
    } catch {
      return {};
    }
  }
  function apply() {
    const { theme, motion } = look();
    calm.disabled = motion !== "reduce";
    document.documentElement.dataset.motion = motion === "reduce" ? "reduce" : "system";
    if (theme !== "Light" && theme !== "Dark") return;
    try {
      localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(theme));
    } catch {
      // Without storage nothing was chosen here either.
    }
  }
  // A sheet of the document does not reach into shadow trees, so each tree gets it as it is made.
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const tree = attach.call(this, options);
    tree.adoptedStyleSheets.push(calm);
    return tree;
  };
  document.adoptedStyleSheets.push(calm);
  addEventListener("askwell:look", apply);
  apply();
})();
