// Draws each figure once it is near the screen, follows the colour scheme, and turns to ink on white for paper.
(() => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const figures = [...document.querySelectorAll("figure")].map((figure) => ({
    place: figure.querySelector(".plot"),
    looks: JSON.parse(figure.querySelector("script").textContent),
    drawn: false,
  }));
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

  function draw(entry, scheme) {
    const { data, layout } = entry.looks[scheme];
    const phone = document.documentElement.clientWidth < 600;
    const fitted = { ...layout, autosize: true, width: undefined };
    if (phone) {
      fitted.font = { ...layout.font, size: 11 };
      fitted.margin = { ...layout.margin, l: 4, r: 4 };
    }
    entry.drawn = true;
    return Plotly.react(entry.place, data, fitted, { ...options, displayModeBar: phone ? false : "hover" });
  }

  const scheme = () => (dark.matches ? "dark" : "light");
  const seen = new IntersectionObserver(
    (found) => {
      for (const { isIntersecting, target } of found) {
        const entry = figures.find(({ place }) => place === target);
        if (isIntersecting && !entry.drawn) draw(entry, scheme());
      }
    },
    { rootMargin: "600px" },
  );
  for (const { place, looks } of figures) {
    place.style.minHeight = `${looks.light.layout.height || 450}px`; // nothing moves when it is drawn
    seen.observe(place);
  }

  dark.addEventListener("change", () => {
    for (const entry of figures) if (entry.drawn) draw(entry, scheme());
  });

  const folds = [...document.querySelectorAll("section > details")];
  let open = [];
  addEventListener("beforeprint", () => {
    open = folds.map((fold) => fold.open);
    for (const fold of folds) fold.open = true;
    for (const entry of figures) draw(entry, "light");
  });
  addEventListener("afterprint", () => {
    folds.forEach((fold, place) => { fold.open = open[place]; });
    for (const entry of figures) draw(entry, scheme());
  });

  for (const block of document.querySelectorAll("pre")) {
    const button = document.createElement("button");
    button.type = "button";
    const code = block.querySelector("code");
    const file = code.dataset.name;
    button.textContent = file ? "Save" : "Copy";
    button.addEventListener("click", () => {
      if (file) {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([code.textContent], { type: "application/json" }));
        link.download = file;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
        return;
      }
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      const copied = navigator.clipboard ? navigator.clipboard.writeText(code.textContent) : Promise.reject();
      copied.then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Selected"; });
    });
    block.append(button);
  }
})();
