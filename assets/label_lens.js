/* Looking closer: brightness, contrast, pixelated or smooth, and the zoom that a held key shows.
 * `looking` becomes methods of LabelGrid; what is chosen is kept in this browser.
 */
const LENS = [["brightness", tr("Brightness"), 25, 300], ["contrast", tr("Contrast"), 25, 400]]; // per cent

const looking = {
  buildLens() {
    this.lens = make("div", "lens");
    this.lens.hidden = true;
    this.lens.setAttribute("role", "group");
    this.lens.setAttribute("aria-label", tr("How the images look"));
    this.lensInputs = LENS.map(([name, title, least, most]) => {
      const input = make("input");
      Object.assign(input, { type: "range", min: least, max: most, step: 5 });
      input.addEventListener("input", () => this.look({ [name]: Number(input.value) }));
      input.addEventListener("dblclick", () => this.look({ [name]: 100 }));
      this.keepKeys(input);
      const shown = make("output");
      const row = make("label");
      row.append(make("span", "", title), input, shown);
      this.lens.append(row);
      return { name, input, shown };
    });
    this.smooth = make("input");
    this.smooth.type = "checkbox";
    this.smooth.addEventListener("change", () => this.look({ pixelated: !this.smooth.checked }));
    this.keepKeys(this.smooth);
    const row = make("label");
    row.append(make("span", "", tr("Smooth pixels")), this.smooth);
    const reset = button("plain", "", () => this.look({ brightness: 100, contrast: 100, pixelated: null }),
      make("span", "", tr("As they are"))); // prettier-ignore
    this.lens.append(row, reset);
    return this.lens;
  },

  /** Arrows belong to the slider; Escape closes. */
  keepKeys(input) {
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") event.stopPropagation();
      if (event.key === "Escape" || this.actionOf(event) === "lens") this.toggleLens();
    });
  },

  toggleLens() {
    this.lens.hidden = !this.lens.hidden;
    this.lensButton.setAttribute("aria-expanded", String(!this.lens.hidden));
    if (this.lens.hidden) this.grabFocus();
    else this.lensInputs[0].input.focus();
  },

  look(changes) {
    this.prefer(changes);
    this.paintLens();
    this.layout();
  },

  isPixelated() {
    return this.preferences.pixelated ?? Boolean(this.data.pixelated);
  },

  paintLens() {
    const { brightness = 100, contrast = 100 } = this.preferences;
    const plain = brightness === 100 && contrast === 100;
    this.root.style.setProperty("--look", plain ? "none" : `brightness(${brightness}%) contrast(${contrast}%)`);
    this.root.classList.toggle("pixelated", this.isPixelated());
    this.lensButton.classList.toggle("on", !plain || this.preferences.pixelated != null);
    this.smooth.checked = !this.isPixelated();
    for (const { name, input, shown } of this.lensInputs) {
      input.value = this.preferences[name] ?? 100;
      shown.textContent = `${input.value} %`;
    }
    if (!this.isPixelated()) {
      for (const img of this.root.querySelectorAll("img")) img.style.width = img.style.height = "";
    }
  },

  showZoom() {
    const { item, img, broken } = this.tiles.get(this.ids[this.cursor]);
    if (broken || !this.zoom.hidden) return;
    const large = make("img");
    large.alt = item.alt;
    large.src = item.full ?? img.src;
    large.onload = () => this.fit(large, Math.min(innerWidth, innerHeight) - 80);
    this.zoom.replaceChildren(large);
    this.zoom.hidden = false;
  },

  hideZoom() {
    this.zoom.hidden = true;
  },
};
