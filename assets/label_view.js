/* How the labelling grid looks: its small parts, its tiles, and what is painted when something changes.
 * `painting` and `pointing` become methods of LabelGrid (label_grid.js, which stands behind this file).
 */
const SKIP = -2;
const EXCLUDE = -3;
const UNLABEL = -4;
const PREFERENCES = "askwell.grid";
const COLOURS = [
  "#4c7be0", "#e08a2b", "#2fa36b", "#d9485f", "#8f63d2",
  "#9a6b4c", "#d567b1", "#718096", "#a3a12a", "#22a3b8",
]; // prettier-ignore
const ICONS = {
  check: "M4 10.5l4 4 8-9",
  skip: "M4 5l6 5-6 5zM11 5l6 5-6 5z",
  exclude: "M5 5l10 10M15 5L5 15",
  undo: "M7 5L3 9l4 4M3 9h8a5 5 0 0 1 0 10",
  redo: "M13 5l4 4-4 4M17 9H9a5 5 0 0 0 0 10",
  grid: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  single: "M3 4h14v12H3z",
  minus: "M4 10h12",
  plus: "M4 10h12M10 4v12",
  train: "M6 4l10 6-10 6z",
  eraser: "M8 16h9M4 12l7-7 5 5-6 6H8z",
};
const HELP = [
  ["Label", [
    ["class key", "label the selection or this image, go to the next one without an answer"],
    ["Q W E", "take the model's first, second, third guess"],
    ["/", "find a class by typing"],
    ["Space", "skip: cannot tell, is not asked again"],
    ["X", "exclude: a bad image, leaves the pool"],
    ["U", "take the answer back"],
  ]],
  ["Mend", [
    ["Backspace", "undo and step back"],
    ["Ctrl Z", "undo"],
    ["Ctrl Shift Z", "redo"],
  ]],
  ["Move and select", [
    ["← → ↑ ↓", "move"],
    ["Shift arrows", "extend the selection (also Shift click, Ctrl click, drag)"],
    ["Ctrl A", "select all"],
    ["Esc", "clear the selection, close"],
  ]],
  ["See", [
    ["G", "grid or one at a time"],
    ["Enter", "open this image, alone"],
    ["I", "why this image was asked for"],
    ["Z", "hold to zoom"],
    ["+  −", "size of the tiles"],
  ]],
  ["Go on", [
    ["Ctrl Enter", "save everything and train"],
    ["?", "this sheet"],
  ]],
]; // prettier-ignore

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that leaves the focus where it is, so that keys go on working after a click. */
function button(className, label, onClick, ...children) {
  const element = make("button", className);
  element.type = "button";
  if (label) {
    element.setAttribute("aria-label", label);
    element.title = label;
  }
  element.append(...children);
  element.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && event.preventDefault());
  element.addEventListener("mousedown", (event) => event.preventDefault());
  element.addEventListener("click", onClick);
  return element;
}

function keycap(text) {
  const cap = make("kbd", "", text);
  cap.setAttribute("aria-hidden", "true");
  return cap;
}

function colourOf(index) {
  return COLOURS[index] ?? `hsl(${Math.round((index * 137.508) % 360)} 58% 52%)`;
}

/** The key of each class: its own character where all names are one character, else 1-9, 0, Shift+1 ... */
function keysOf(classes) {
  if (classes.every((name) => [...name].length === 1)) return classes.slice();
  return classes.map((_, index) => {
    if (index < 10) return String((index + 1) % 10);
    return index < 20 ? `⇧${(index + 1) % 10}` : "";
  });
}

function percent(value) {
  const shown = value * 100;
  return shown > 0 && shown < 1 ? "<1 %" : `${Math.min(99, Math.round(shown))} %`;
}

function isEditable(element) {
  return (
    element instanceof HTMLElement &&
    (element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName))
  );
}

const painting = {
  buildTile(item, index) {
    const tile = make("div", "tile");
    tile.setAttribute("role", "gridcell");
    tile.setAttribute("aria-selected", "false");
    tile.tabIndex = -1;
    tile.dataset.index = index;
    const frame = make("div", "frame");
    const img = make("img");
    img.alt = item.alt;
    img.loading = "lazy";
    img.decoding = "async";
    img.draggable = false;
    img.addEventListener("load", () => this.fit(img, frame));
    img.addEventListener("error", () => this.breakTile(item, tile, frame));
    img.src = item.src;
    const strip = make("div", "strip");
    const dot = make("span", "dot");
    const tick = make("span", "tick");
    tick.append(icon("check"));
    frame.append(img, tick);
    tile.append(frame, strip, dot);
    return { tile, frame, img, strip, item, broken: false };
  },

  breakTile(item, tile, frame) {
    const parts = this.tiles.get(item.id);
    if (parts) parts.broken = true;
    tile.classList.add("broken");
    frame.replaceChildren(make("span", "file", item.alt), make("span", "hint", "cannot be shown · X excludes it"));
    this.refresh();
  },

  /** Small pictures are enlarged by whole factors, so that every pixel is equally large. */
  fit(img, frame, room = frame.clientWidth) {
    if (!this.data.pixelated || !img.naturalWidth || !room) return;
    const largest = Math.max(img.naturalWidth, img.naturalHeight);
    const factor = Math.max(1, Math.floor(room / largest));
    const shrink = largest > room ? room / largest : factor;
    img.style.width = `${img.naturalWidth * shrink}px`;
    img.style.height = `${img.naturalHeight * shrink}px`;
  },

  /** New signatures in the addresses matter only for pictures that are not there yet. */
  refreshAddresses() {
    for (const item of this.data.items) {
      const parts = this.tiles.get(item.id);
      if (!parts) continue;
      const { img } = parts;
      parts.item = item;
      if (parts.broken) {
        const fresh = this.buildTile(item, Number(parts.tile.dataset.index));
        parts.tile.replaceWith(fresh.tile);
        this.tiles.set(item.id, fresh);
      } else if (!img.complete && img.getAttribute("src") !== item.src) img.src = item.src;
    }
  },

  rebuildPalette() {
    const { classes } = this.data;
    this.keys = keysOf(classes);
    this.ownKeys = classes.every((name) => [...name].length === 1);
    this.classButtons = classes.map((name, index) => {
      const swatch = make("span", "swatch");
      const count = make("span", "tally");
      const element = button("class", "", () => this.answer(index), keycap(this.keys[index]), swatch,
        make("span", "name", name), count); // prettier-ignore
      element.style.setProperty("--colour", colourOf(index));
      element.title = name;
      return { element, count };
    });
    this.palette.replaceChildren(...this.classButtons.map(({ element }) => element));
    this.palette.classList.toggle("many", classes.length > 12);
    this.palette.classList.toggle("short", classes.every((name) => name.length <= 2));
    this.palette.classList.toggle("own", this.ownKeys);
    this.find.hidden = classes.length <= 20;
  },

  // -- layout ----------------------------------------------------------------------------------------

  /** Chosen tile size, or the largest at which the whole query fits on the screen. */
  tileSize(width) {
    if (this.preferences.size) return this.preferences.size;
    const gap = 8;
    const height = Math.max(320, innerHeight - 300);
    for (let size = 176; size > 88; size -= 8) {
      const columns = Math.max(1, Math.floor((width + gap) / (size + gap)));
      if (Math.ceil(this.ids.length / columns) * (size + 26 + gap) <= height) return size;
    }
    return 88;
  },

  layout() {
    if (!this.data) return;
    const total = this.root.clientWidth;
    this.root.style.setProperty("--floor", `${this.floor?.offsetHeight ?? 0}px`);
    this.root.classList.toggle("wide", total >= 760);
    this.root.classList.toggle("narrow", total < 560);
    const width = this.view.clientWidth;
    if (!width) return;
    const least = this.root.classList.contains("narrow") ? (this.data.pixelated ? 4 : 3) : 3;
    const columns = Math.max(least, Math.floor((width + 8) / (this.tileSize(width) + 8)));
    if (columns !== this.columns) {
      this.columns = columns;
      this.arrange();
    }
    for (const { img, frame } of this.tiles.values()) this.fit(img, frame);
    this.paintStage();
  },

  /** Tiles in rows, as role=grid wants; CSS lays them out as if the rows were not there. */
  arrange() {
    const focused = this.root.getRootNode().activeElement;
    const single = this.preferences.mode === "single";
    const columns = single ? this.ids.length : this.columns;
    this.grid.style.setProperty("--columns", this.columns);
    const tiles = this.ids.map((id) => this.tiles.get(id).tile);
    const rows = [];
    for (let start = 0; start < tiles.length; start += columns) {
      const row = make("div", "row");
      row.setAttribute("role", "row");
      row.append(...tiles.slice(start, start + columns));
      rows.push(row);
    }
    this.grid.replaceChildren(...rows);
    if (focused && this.grid.contains(focused)) focused.focus({ preventScroll: true });
  },

  resize(direction) {
    const now = this.preferences.size || this.tileSize(this.view.clientWidth);
    const step = now < 128 ? 16 : 32;
    this.prefer({ size: Math.max(56, Math.min(320, now + direction * step)) });
    this.layout();
    this.say(`Tiles of ${this.preferences.size} pixels.`);
  },

  setMode(mode, { remember = true } = {}) {
    if (remember) this.prefer({ mode });
    else this.preferences.mode = mode;
    this.root.classList.toggle("one", mode === "single");
    for (const [name, element] of Object.entries(this.modeButtons)) {
      element.setAttribute("aria-pressed", String(name === mode));
    }
    this.columns = 0;
    this.layout();
    if (remember) {
      this.moveTo(this.cursor);
      this.say(mode === "single" ? "One image at a time." : "Grid.");
    }
  },

  // -- painting --------------------------------------------------------------------------------------

  paint() {
    for (const id of this.ids) this.paintTile(id);
    this.moveTo(this.cursor, { focus: false });
    this.render();
  },

  /** Many keys in one frame are painted once: what surrounds the tiles costs more than a tile. */
  refresh() {
    this.frame ||= requestAnimationFrame(() => this.render());
  },

  render() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.data) return;
    this.paintFocus();
    this.paintPending();
    this.paintProgress();
    this.paintStatus();
    this.follow();
  },

  paintTile(id) {
    const { tile, strip, item } = this.tiles.get(id);
    const value = this.labels.get(id);
    const state = value === undefined ? "open" : value >= 0 ? "labeled" : value === SKIP ? "skipped" : "excluded";
    tile.dataset.state = state;
    tile.style.setProperty("--colour", state === "labeled" ? colourOf(value) : "transparent");
    const guess = this.data.showGuesses && state === "open" ? item.guesses?.[0] : undefined;
    if (state === "open") strip.replaceChildren(...(guess ? this.guessHint(guess) : [make("span", "none", "–")]));
    else {
      const mark = state === "labeled" ? make("span", "swatch") : icon(state === "skipped" ? "skip" : "exclude");
      strip.replaceChildren(mark, make("span", "name", this.nameOf(value)));
    }
    const name = state === "open" ? "no answer yet" : this.nameOf(value);
    tile.setAttribute("aria-label", `Image ${Number(tile.dataset.index) + 1}, ${item.alt}: ${name}`);
  },

  guessHint([index, probability]) {
    return [make("span", "maybe", `${this.data.classes[index]}?`), make("span", "chance", percent(probability))];
  },

  paintPending() {
    const pending = new Set(this.outbox.waiting(this.data.batch).map((op) => op.id));
    for (const id of new Set([...this.pending, ...pending])) {
      this.tiles.get(id)?.tile.classList.toggle("pending", pending.has(id));
    }
    this.pending = pending;
  },

  paintStatus() {
    const waiting = this.outbox.ours().length;
    const { failures, denied, refused, refusal } = this.outbox;
    let text = "All saved";
    let state = "saved";
    if (waiting && denied.size) [text, state] = [`${waiting} not saved: reload the page`, "trouble"];
    else if (waiting && failures) [text, state] = [`${waiting} not saved, retrying`, "trouble"];
    else if (waiting) [text, state] = ["Saving…", "saving"];
    else if (refused) [text, state] = [`${refused} refused: ${refusal}`, "trouble"];
    if (this.status.dataset.text === text) return;
    this.status.dataset.text = text;
    this.status.dataset.state = state;
    this.status.replaceChildren(make("span", "lamp"), make("span", "", text));
  },

  paintProgress() {
    const { labeled, total, answered } = this.tally();
    this.count.replaceChildren(make("b", "", String(labeled)), ` of ${total} labeled`);
    if (answered > labeled) this.count.append(make("span", "aside", ` · ${answered - labeled} set aside`));
    this.meterFill.style.transform = `scaleX(${total ? answered / total : 0})`;
    this.meter.setAttribute("aria-valuenow", String(answered));
    this.meter.setAttribute("aria-valuemax", String(total));
    this.undoButton.disabled = !this.done.length;
    const complete = answered === total;
    this.root.classList.toggle("complete", complete);
    this.trainButton.disabled = !this.mayTrain();
    const amount = `${labeled} label${labeled === 1 ? "" : "s"}`;
    const wait = this.outbox.waiting(this.data.batch).length ? "Saving, then training…" : "Starting…";
    this.trainText.textContent = this.training ? wait : labeled ? `Train on ${amount}` : "Label an image to train";
    this.trainButton.classList.toggle("busy", Boolean(this.training));
  },

  tally() {
    const counts = new Array(this.data.classes.length).fill(0);
    let labeled = 0;
    for (const value of this.labels.values()) {
      if (value < 0) continue;
      counts[value]++;
      labeled++;
    }
    this.classButtons.forEach(({ count }, index) => (count.textContent = counts[index] || ""));
    return { labeled, answered: this.labels.size, total: this.ids.length };
  },

  /** What shows the image under the cursor: preview, guesses, and the stage of the single view. */
  paintFocus() {
    const id = this.ids[this.cursor];
    const { item, img, broken } = this.tiles.get(id);
    const note = `${this.cursor + 1} / ${this.ids.length} · ${item.alt}`;
    const value = this.labels.get(id);
    for (const element of [this.previewNote, this.stageNote]) {
      element.replaceChildren(make("span", "place", note), ...this.chipOf(value));
    }
    const single = this.preferences.mode === "single";
    const shown = single ? this.stageImage : this.previewImage;
    const source = broken ? "" : (item.full ?? img.src);
    if (shown.getAttribute("src") !== source) {
      if (source) shown.src = source;
      else shown.removeAttribute("src");
    }
    shown.alt = item.alt;
    this.paintStage();
    this.paintGuesses(item, value);
    this.classButtons.forEach(({ element }, index) => {
      element.setAttribute("aria-pressed", String(index === value));
    });
  },

  chipOf(value) {
    if (value === undefined) return [];
    const chip = make("span", "chip", this.nameOf(value));
    if (value >= 0) chip.style.setProperty("--colour", colourOf(value));
    return [chip];
  },

  paintStage() {
    if (this.preferences.mode === "single") {
      // Few pixels read better when they are not blown up to the whole screen.
      const most = Math.max(256, 10 * Math.max(this.stageImage.naturalWidth, this.stageImage.naturalHeight));
      const room = Math.min(this.stage.clientWidth, this.stage.clientHeight) - 24;
      const fit = () => this.fit(this.stageImage, this.stage, Math.min(room, most));
      this.stageImage.onload = fit;
      fit();
    } else {
      const fit = () => this.fit(this.previewImage, this.preview, this.preview.clientHeight - 8);
      this.previewImage.onload = fit;
      fit();
    }
  },

  paintGuesses(item, value) {
    const guesses = this.data.showGuesses ? (item.guesses ?? []) : [];
    this.guesses.hidden = !guesses.length;
    const rows = guesses.map(([index, probability], rank) => {
      const key = "QWE"[rank] ?? "";
      const bar = make("span", "bar-fill");
      bar.style.transform = `scaleX(${probability})`;
      const taken = this.ownKeys && this.data.classes.some((name) => name.toUpperCase() === key);
      const element = button("guess", "", () => this.answer(index), keycap(taken ? `Alt ${key}` : key),
        make("span", "name", this.data.classes[index]), make("span", "chance", percent(probability)), bar); // prettier-ignore
      element.style.setProperty("--colour", colourOf(index));
      element.setAttribute("aria-pressed", String(index === value));
      return element;
    });
    this.guesses.replaceChildren(...rows);
  },

  // -- overlays --------------------------------------------------------------------------------------

  showZoom() {
    const { item, img, broken } = this.tiles.get(this.ids[this.cursor]);
    if (broken || !this.zoom.hidden) return;
    const large = make("img");
    large.alt = item.alt;
    large.src = item.full ?? img.src;
    large.onload = () => this.fit(large, this.zoom, Math.min(innerWidth, innerHeight) - 80);
    this.zoom.replaceChildren(large);
    this.zoom.hidden = false;
  },

  hideZoom() {
    this.zoom.hidden = true;
  },

  toggleSheet() {
    this.sheet.hidden = !this.sheet.hidden;
    if (this.sheet.hidden) this.grabFocus();
    else this.sheetClose.focus();
  },

  openFind() {
    this.find.hidden = false;
    this.find.focus();
    this.find.select();
  },

  closeFind() {
    this.find.value = "";
    this.filter();
    this.find.hidden = this.data.classes.length <= 20;
    this.tiles.get(this.ids[this.cursor])?.tile.focus({ preventScroll: true });
  },

  /** Classes that fit what is typed: those that begin with it first. */
  hits() {
    const typed = this.find.value.trim().toLowerCase();
    if (!typed) return [];
    const names = this.data.classes.map((name) => name.toLowerCase());
    const begin = names.flatMap((name, index) => (name.startsWith(typed) ? [index] : []));
    const within = names.flatMap((name, index) => (name.includes(typed) && !name.startsWith(typed) ? [index] : []));
    return [...begin, ...within];
  },

  filter() {
    const hits = this.hits();
    const typing = this.find.value.trim() !== "";
    this.classButtons.forEach(({ element }, index) => {
      element.hidden = typing && !hits.includes(index);
      element.classList.toggle("first", typing && hits[0] === index);
    });
  },
};

const pointing = {
  tileAt(event) {
    const tile = event.target.closest?.(".tile");
    return tile ? Number(tile.dataset.index) : -1;
  },

  onClick(event) {
    if (this.dragged) return;
    const index = this.tileAt(event);
    if (index === -1) return;
    this.select(index, { extend: event.shiftKey, toggle: event.ctrlKey || event.metaKey });
    this.tiles.get(this.ids[index]).tile.focus({ preventScroll: true });
  },

  /** Dragging a mouse over the grid draws a band; the tiles that it touches are selected. */
  onPointerDown(event) {
    if (event.pointerType !== "mouse" || event.button !== 0 || this.preferences.mode === "single") return;
    const origin = { x: event.clientX, y: event.clientY };
    const before = event.shiftKey || event.ctrlKey || event.metaKey ? [...this.selection] : [];
    const boxes = this.ids.map((id) => [id, this.tiles.get(id).tile.getBoundingClientRect()]);
    const view = this.view.getBoundingClientRect();
    this.dragged = false;
    const stop = new AbortController();
    const move = (at) => {
      const box = {
        left: Math.min(origin.x, at.clientX), right: Math.max(origin.x, at.clientX),
        top: Math.min(origin.y, at.clientY), bottom: Math.max(origin.y, at.clientY),
      }; // prettier-ignore
      if (!this.dragged && Math.max(box.right - box.left, box.bottom - box.top) < 8) return;
      this.dragged = true;
      this.band.hidden = false;
      this.band.style.inset = `${box.top - view.top}px auto auto ${box.left - view.left}px`;
      this.band.style.width = `${box.right - box.left}px`;
      this.band.style.height = `${box.bottom - box.top}px`;
      const touched = boxes.filter(([, tile]) =>
        tile.left < box.right && tile.right > box.left && tile.top < box.bottom && tile.bottom > box.top); // prettier-ignore
      this.setSelection([...before, ...touched.map(([id]) => id)]);
    };
    const end = () => {
      stop.abort();
      this.band.hidden = true;
      if (this.dragged) setTimeout(() => (this.dragged = false)); // the click that ends the drag comes first
    };
    addEventListener("pointermove", move, { signal: stop.signal });
    addEventListener("pointerup", end, { signal: stop.signal });
    addEventListener("pointercancel", end, { signal: stop.signal });
  },

  /** A swipe over the single image goes to the next or the one before. */
  listenSwipe() {
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      from = event.pointerType === "touch" ? event.clientX : null;
    });
    this.stage.addEventListener("pointerup", (event) => {
      if (from === null || Math.abs(event.clientX - from) < 48) return;
      this.select(Math.max(0, Math.min(this.ids.length - 1, this.cursor + (event.clientX < from ? 1 : -1))));
    });
  },
};
