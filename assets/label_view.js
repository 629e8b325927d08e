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
  lanes: "M3 4h4v3H3zM9 4h8v3H9zM3 9h4v3H3zM9 9h5v3H9zM3 14h4v3H3zM9 14h8v3H9z",
  lens: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  minus: "M4 10h12",
  plus: "M4 10h12M10 4v12",
  train: "M6 4l10 6-10 6z",
  ahead: "M3 5l5 5-5 5M9 5l5 5-5 5M17 5v10",
  eraser: "M8 16h9M4 12l7-7 5 5-6 6H8z",
  unsure: "M6.5 7.5a3.5 3.5 0 1 1 5 3.1c-1 .5-1.5 1.1-1.5 2.1v.3M10 16.4v.2",
  flag: "M5 18V3M5 4h10l-2.5 3.5L15 11H5",
  note: "M4 3h12v10l-4 4H4zM16 13h-4v4M7 7h6M7 10h4",
  guide: "M10 5.5C8.5 4.3 6 4 3 4v11c3 0 5.5.3 7 1.5 1.5-1.2 4-1.5 7-1.5V4c-3 0-5.5.3-7 1.5zM10 5.5v11",
  pin: "M7 3h6l-1 5 3 3.5H5L8 8zM10 11.5V17",
  edit: "M4 16l.8-3.6L13 4.2 15.8 7l-8.2 8.2zM11.5 5.7l2.8 2.8",
};
const QUIET_MS = 1500;
let touched = -Infinity; // when a person did something on the page outside of the component
for (const kind of ["click", "keydown"])
  addEventListener(kind, (event) => {
    const ours = event.composedPath().some((at) => at.classList?.contains("askwell"));
    if (!ours) touched = performance.now();
  }, true); // prettier-ignore

/** What a component writes notes for its page with. As states: a trigger is lost where another follows before
 * the page has run. A note that nobody asked for keeps away from clicks and keys on the page: Streamlit drops
 * the one whose request another follows before its callback has begun. */
function noteWriter(parent, setStateValue) {
  return (name, told = {}) => {
    const write = () => {
      const wait = ["saved", "refresh"].includes(name) ? QUIET_MS - (performance.now() - touched) : 0;
      if (wait > 0) setTimeout(write, wait);
      else if (parent.isConnected) setStateValue(name, { ...told, at: Date.now() });
    };
    write();
  };
}

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

/** Where the focus is when nothing has it: a click beside all controls gives it to Streamlit's main section. */
function isNowhere(element) {
  return [document.body, document.documentElement].includes(element) || element?.dataset?.testid === "stMain";
}

const painting = {
  buildTile(item, { fetch = true } = {}) {
    const tile = make("div", "tile");
    tile.setAttribute("role", "gridcell");
    tile.setAttribute("aria-selected", "false");
    tile.tabIndex = -1;
    const frame = make("div", "frame");
    const img = make("img");
    img.alt = item.alt;
    img.loading = "lazy";
    img.decoding = "async";
    img.draggable = false;
    // all tiles are as large as each other: asking each one anew would lay the page out for each picture
    img.addEventListener("load", () => this.fit(img, (this.frameRoom ||= frame.clientWidth)));
    img.addEventListener("error", () => this.breakTile(item, tile, frame));
    if (fetch) this.fetchPicture(img, item);
    const strip = make("div", "strip");
    const dot = make("span", "dot");
    const tick = make("span", "tick");
    const signs = make("span", "signs");
    tick.append(icon("check"));
    frame.append(img, tick);
    tile.append(frame, signs, strip, dot);
    return { tile, frame, img, strip, signs, item, broken: false };
  },

  /** Of photos there are two sizes: the browser takes the one that tile and screen need (label_grid.py). */
  fetchPicture(img, { src, small }) {
    if (small) {
      img.sizes = `${this.frameRoom || 176}px`;
      img.srcset = `${small} 176w, ${src} 352w`;
    }
    img.src = src;
  },

  breakTile(item, tile, frame) {
    const parts = this.tiles.get(item.id);
    if (parts) parts.broken = true;
    tile.classList.add("broken");
    frame.replaceChildren(make("span", "file", item.alt), make("span", "hint", tr("cannot be shown · {key} excludes it", { key: keyText(this.keyOf("exclude")) })));
    this.refresh();
  },

  /** Small pictures are enlarged by whole factors, so that every pixel is equally large. */
  fit(img, room) {
    if (!this.isPixelated() || !img.naturalWidth || !room) return;
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
        const fresh = this.buildTile(item);
        fresh.tile.dataset.index = parts.tile.dataset.index;
        parts.tile.replaceWith(fresh.tile);
        this.tiles.set(item.id, fresh);
      } else if (!img.complete && img.hasAttribute("src") && img.getAttribute("src") !== item.src) this.fetchPicture(img, item);
    }
  },

  rebuildPalette() {
    const { classes } = this.data;
    const open = this.openIds();
    this.layoutKeys();
    this.classButtons = open.map((index) => {
      const name = classes[index];
      const swatch = make("span", "swatch");
      const count = make("span", "tally");
      const element = button("class", "", () => this.answer(index), keycap(this.keys[index]), swatch,
        make("span", "name", name), count); // prettier-ignore
      element.style.setProperty("--colour", colourOf(index));
      element.title = name;
      element.classList.toggle("itself", this.keys[index] === name); // its name says its key
      return { id: index, element, count };
    });
    this.palette.replaceChildren(...this.classButtons.map(({ element }) => element));
    this.palette.classList.toggle("many", open.length > 12);
    this.palette.classList.toggle("short", open.every((id) => classes[id].length <= 2));
    this.palette.classList.toggle("own", this.ownKeys);
    if (this.root.getRootNode().activeElement !== this.find) this.find.hidden = open.length <= 20;
  },

  // -- layout ----------------------------------------------------------------------------------------

  /** Chosen tile size, or the largest at which the whole query fits on the screen. */
  tileSize(width) {
    if (this.preferences.size) return this.preferences.size;
    if (this.preferences.mode === "lanes") return 96;
    const gap = 8;
    const height = Math.max(320, innerHeight - (this.part === "ahead" || this.next ? 402 : 350));
    for (let size = 176; size > 88; size -= 8) {
      const columns = Math.max(1, Math.floor((width + gap) / (size + gap)));
      if (Math.ceil(this.ids.length / columns) * (size + 26 + gap) <= height) return size;
    }
    return 88;
  },

  layout() {
    if (!this.data) return;
    this.placeGuide();
    const total = this.root.clientWidth - this.guidePad;
    this.root.style.setProperty("--floor", `${this.floor?.offsetHeight ?? 0}px`);
    this.root.classList.toggle("wide", total >= 760);
    this.root.classList.toggle("narrow", total < 560);
    const inLanes = this.preferences.mode === "lanes";
    const heads = inLanes && !this.root.classList.contains("narrow") ? 140 : 0; // what stands left of the tiles
    const width = this.view.clientWidth - heads;
    if (width <= 0) return;
    this.modeButtons.lanes.hidden = !this.mayLane();
    const least = this.root.classList.contains("narrow") ? (this.isPixelated() ? 4 : 3) : 3;
    const columns = Math.max(least, Math.floor((width + 8) / (this.tileSize(width) + 8)));
    if (columns !== this.columns) {
      this.columns = columns;
      this.arrange();
    }
    this.stageRoom = this.previewRoom = 0; // read again
    this.frameRoom = this.tiles.get(this.ids[0])?.frame.clientWidth ?? 0;
    for (const { img } of this.tiles.values()) {
      if (img.srcset && this.frameRoom) img.sizes = `${this.frameRoom}px`;
      this.fit(img, this.frameRoom);
    }
    this.paintStage();
  },

  /** Tiles in rows, as role=grid wants; CSS lays them out as if the rows were not there. */
  arrange() {
    const focused = this.root.getRootNode().activeElement;
    if (this.preferences.mode === "lanes") {
      this.grid.style.setProperty("--columns", this.columns);
      this.arrangeLanes();
      if (focused && this.grid.contains(focused)) focused.focus({ preventScroll: true });
      return;
    }
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
    this.say(tr("Tiles of {size} pixels.", { size: this.preferences.size }));
  },

  setMode(mode, { remember = true } = {}) {
    if (mode === "lanes" && !this.mayLane()) return this.say(tr("Lanes need the model's guesses."));
    this.preferences.mode = mode;
    if (remember) this.prefer({ chosen: mode });
    this.root.classList.toggle("one", mode === "single");
    this.root.classList.toggle("in-lanes", mode === "lanes");
    this.setOrder();
    for (const [name, element] of Object.entries(this.modeButtons)) {
      element.setAttribute("aria-pressed", String(name === mode));
    }
    this.columns = 0;
    this.layout();
    if (remember) {
      for (const id of this.ids) this.paintTile(id);
      this.moveTo(this.cursor);
      this.say({ single: tr("One image at a time."), grid: tr("Grid."), lanes: tr("Lanes, one for each class.") }[mode]);
    }
  },

  nextMode() {
    const modes = this.mayLane() ? ["grid", "single", "lanes"] : ["grid", "single"];
    this.setMode(modes[(modes.indexOf(this.preferences.mode) + 1) % modes.length]);
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
    this.paintAhead();
    this.paintGuide();
    this.paintSwipe();
    this.paintLanes();
    this.paintTrail();
    this.paintPending();
    this.paintProgress();
    this.paintStatus();
    this.follow();
    this.followTour();
  },

  paintTile(id) {
    const { tile, strip, signs, item } = this.tiles.get(id);
    const value = this.labels.get(id);
    const state = value === undefined ? "open" : value >= 0 ? "labeled" : value === SKIP ? "skipped" : "excluded";
    tile.dataset.state = state;
    tile.classList.toggle("left-out", this.leftOut.has(id) && state === "open");
    tile.style.setProperty("--colour", state === "labeled" ? colourOf(value) : "transparent");
    const guess = this.data.showGuesses && state === "open" ? item.guesses?.[0] : undefined;
    if (state === "open") strip.replaceChildren(...(guess ? this.guessHint(guess) : [make("span", "none", item.blind && this.data.showGuesses ? tr("hidden") : "–")]));
    else {
      const mark = state === "labeled" ? make("span", "swatch") : icon(state === "skipped" ? "skip" : "exclude");
      strip.replaceChildren(mark, make("span", "name", this.nameOf(value)));
    }
    const name = state === "open" ? tr("no answer yet") : this.nameOf(value);
    signs.replaceChildren(...this.markSigns(id), ...this.pinSigns(id));
    const pinned = { [GOOD]: [tr("a good example")], [BORDERLINE]: [tr("a borderline example")] }[this.pinOf(id)] ?? [];
    const said = [name, ...this.markWords(id), ...pinned, ...(this.part === "ahead" ? [tr("ahead")] : [])].join(", ");
    const place = Number(tile.dataset.index) + 1;
    tile.setAttribute("aria-label", tr("Image {place}, {file}: {said}", { place, file: item.alt, said }));
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
    let text = tr("All saved");
    let state = "saved";
    if (waiting && denied.size) [text, state] = [tr("{waiting} not saved: reload the page", { waiting }), "trouble"];
    else if (waiting && failures) [text, state] = [tr("{waiting} not saved, retrying", { waiting }), "trouble"];
    else if (waiting) [text, state] = [tr("Saving…"), "saving"];
    else if (this.outbox.strangers(experimentOf(this.data.batch)).length) {
      const [name] = this.outbox.strangers(experimentOf(this.data.batch));
      [text, state] = [tr("Answers by {name} wait in this browser for {name}", { name }), "trouble"];
    } else if (refused) [text, state] = [tr("{refused} refused: {refusal}", { refused, refusal }), "trouble"];
    if (this.status.dataset.text === text) return;
    this.status.dataset.text = text;
    this.status.dataset.state = state;
    this.status.replaceChildren(make("span", "lamp"), make("span", "", text));
  },

  paintProgress() {
    const { labeled, total, answered } = this.tally();
    const ahead = this.part === "ahead";
    const words = ahead ? tr("{labeled} of {total} labeled ahead", { total }) : tr("{labeled} of {total} labeled", { total });
    this.count.replaceChildren(...among(words, { labeled: make("b", "", String(labeled)) }));
    const aside = tr("{count} set aside", { count: answered - labeled });
    if (answered > labeled) this.count.append(make("span", "aside", ` · ${aside}`));
    this.meterFill.style.transform = `scaleX(${total ? answered / total : 0})`;
    this.meter.setAttribute("aria-valuenow", String(answered));
    this.meter.setAttribute("aria-valuemax", String(total));
    this.undoButton.disabled = !this.memory.done.length;
    this.redoButton.disabled = !this.memory.undone.length;
    const complete = answered === total;
    this.root.classList.toggle("complete", complete);
    this.trainButton.disabled = !this.mayTrain() || (this.isTraining() && !this.training);
    const fresh = this.newLabels();
    const wait = this.outbox.waiting(this.data.batch).length ? tr("Saving, then training…") : tr("Starting…");
    const trains = fresh ? trN("Training; {n} label for the next round", "Training; {n} labels for the next round", fresh) : tr("Training");
    const idle = fresh ? trN("Train on {n} label", "Train on {n} labels", fresh) : tr("Label an image to train");
    this.trainText.textContent = this.training ? wait : this.isTraining() ? trains : idle;
    this.trainButton.classList.toggle("busy", this.isTraining());
  },

  tally() {
    const counts = new Array(this.data.classes.length).fill(0);
    let labeled = 0;
    let answered = 0;
    for (const id of this.ids) {
      const value = this.labels.get(id);
      if (value === undefined) continue;
      answered++;
      if (value < 0) continue;
      counts[value]++;
      labeled++;
    }
    this.classButtons.forEach(({ id, count }) => (count.textContent = counts[id] || ""));
    return { labeled, answered, total: this.ids.length };
  },

  /** What shows the image under the cursor: preview, guesses, and the stage of the single view. */
  paintFocus() {
    const id = this.ids[this.cursor];
    const { item, img, broken } = this.tiles.get(id);
    const note = `${this.cursor + 1} / ${this.ids.length} · ${item.alt}`;
    const value = this.labels.get(id);
    for (const element of [this.previewNote, this.stageNote]) {
      element.replaceChildren(make("span", "place", note), ...this.markSigns(id), ...this.chipOf(value));
    }
    for (const [mark, element] of Object.entries(this.markButtons)) {
      element.setAttribute("aria-pressed", String(Boolean(this.marksOf(id)[mark])));
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
    this.classButtons.forEach(({ id: classId, element }) => {
      element.setAttribute("aria-pressed", String(classId === value));
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
      const room = (this.stageRoom ||= Math.min(this.stage.clientWidth, this.stage.clientHeight) - 24);
      const fit = () => this.fit(this.stageImage, Math.min(room, most));
      this.stageImage.onload = fit;
      fit();
    } else {
      const fit = () => this.fit(this.previewImage, (this.previewRoom ||= this.preview.clientHeight - 8));
      this.previewImage.onload = fit;
      fit();
    }
  },

  paintGuesses(item, value) {
    const guesses = this.data.showGuesses ? (item.guesses ?? []) : [];
    const blind = item.blind && this.data.showGuesses;
    this.guesses.hidden = !guesses.length && !blind;
    if (blind) return this.guesses.replaceChildren(make("span", "blind-note", tr("Guess hidden, to measure whether guesses sway you")));
    const rows = guesses.map(([index, probability], rank) => {
      const key = keyText(this.keyOf(`guess${rank + 1}`));
      const bar = make("span", "bar-fill");
      bar.style.transform = `scaleX(${probability})`;
      const taken = this.ownKeys && this.keys.some((each) => each.toUpperCase() === key);
      const element = button("guess", "", () => this.answer(index), keycap(taken ? tr("Alt {key}", { key }) : key),
        make("span", "name", this.data.classes[index]), make("span", "chance", percent(probability)), bar); // prettier-ignore
      element.style.setProperty("--colour", colourOf(index));
      element.setAttribute("aria-pressed", String(index === value));
      return element;
    });
    this.guesses.replaceChildren(...rows);
  },

  // -- overlays --------------------------------------------------------------------------------------

  toggleSheet() {
    this.sheet.hidden = !this.sheet.hidden;
    this.rebinding = null;
    this.sheetWords.textContent = "";
    this.paintSheet();
    if (this.sheet.hidden) this.grabFocus();
    else this.sheetClose.focus();
  },

  openFind() {
    this.find.hidden = false;
    this.find.focus();
    this.find.select();
    this.filter();
  },

  closeFind() {
    this.find.value = "";
    this.naming = false;
    this.find.placeholder = this.findWords();
    this.find.hidden = this.classButtons.length <= 20;
    this.filter();
    this.tiles.get(this.ids[this.cursor])?.tile.focus({ preventScroll: true });
  },

  /** Classes that fit what is typed: those that begin with it, then those that hold it; the likely ones first. */
  hits() {
    const typed = this.find.value.trim().toLowerCase();
    const names = this.data.classes.map((name) => name.toLowerCase());
    const guesses = this.data.showGuesses ? (this.itemAt(this.cursor).guesses ?? []) : [];
    const likely = new Map(guesses.map(([index], place) => [index, place - guesses.length]));
    const rank = (index) => (names[index].startsWith(typed) ? 0 : 1);
    return this.openIds()
      .filter((id) => names[id].includes(typed))
      .sort((one, two) =>
        rank(one) - rank(two) || (likely.get(one) ?? 0) - (likely.get(two) ?? 0) || one - two); // prettier-ignore
  },

  /** While one types, the classes stand in the order in which they fit; arrows go through them. */
  filter({ keep = false } = {}) {
    const finding = !this.find.hidden && (this.find.value.trim() !== "" || this.root.getRootNode().activeElement === this.find);
    const hits = finding ? this.hits() : [];
    if (!keep) this.hit = 0;
    this.hit = Math.max(0, Math.min(hits.length - 1, this.hit));
    const places = new Map(hits.map((index, place) => [index, place]));
    this.classButtons.forEach(({ id, element }) => {
      element.hidden = finding && !places.has(id);
      element.style.order = finding ? (places.get(id) ?? 0) : "";
      element.classList.toggle("first", finding && places.get(id) === this.hit);
    });
    this.paintOffer(finding);
    if (finding && hits.length && this.find.value.trim()) this.showClass(hits[this.hit]);
    if (finding) this.classButtons.find(({ id }) => id === hits[this.hit])?.element.scrollIntoView({ block: "nearest" });
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
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (plain && this.preferences.mode === "lanes") this.leaveOut(this.ids[index]);
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
};
