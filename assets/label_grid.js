/* The labelling grid: shows a query's images and takes a person's answers, by key, pointer or touch.
 *
 * Streamlit calls the default export again at each change of `data` and cleans up only at unmount, so the
 * state lives in a WeakMap and listeners are attached once. Answers leave through the outbox
 * (label_outbox.js; the wrapper puts it and label_view.js in front of this file). Text becomes DOM by textContent only.
 */
class LabelGrid {
  constructor(parent) {
    this.parent = parent;
    this.outbox = outbox();
    this.data = null;
    this.labels = new Map(); // id -> class, SKIP or EXCLUDE
    this.pending = new Set(); // ids with an answer that is not acknowledged
    this.acked = []; // {batch, id, to, rev}: acknowledged after the snapshot in data.labels
    this.snapshot = -1; // rev of that snapshot
    this.tiles = new Map(); // id -> {tile, img, strip, ...}
    this.ids = [];
    this.cursor = 0;
    this.anchor = 0;
    this.selection = new Set();
    this.done = [];
    this.undone = [];
    this.columns = 1;
    this.frame = 0;
    this.following = false; // the focus is to go with the cursor in the next frame
    this.training = 0; // timer while the request to train is on its way
    this.savedTimer = 0;
    this.announced = -Infinity;
    this.sequence = 0;
    this.since = performance.now();
    this.preferences = this.readPreferences();
    this.build();
    this.listen();
  }

  readPreferences() {
    try {
      return { mode: "grid", size: 0, ...JSON.parse(localStorage.getItem(PREFERENCES) ?? "{}") };
    } catch {
      return { mode: "grid", size: 0 };
    }
  }

  prefer(changes) {
    Object.assign(this.preferences, changes);
    try {
      localStorage.setItem(PREFERENCES, JSON.stringify(this.preferences));
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  }

  // -- building --------------------------------------------------------------------------------------

  build() {
    this.root = make("div", "askwell");
    this.root.append(this.buildBar(), this.buildBody());
    this.live = make("div", "hidden");
    this.live.setAttribute("aria-live", "polite");
    this.live.setAttribute("role", "status");
    this.zoom = make("div", "zoom");
    this.zoom.hidden = true;
    this.sheet = this.buildSheet();
    this.root.append(this.live, this.zoom, this.sheet);
    this.parent.append(this.root);
  }

  buildBar() {
    this.count = make("span", "count");
    this.meter = make("div", "meter");
    this.meter.setAttribute("role", "progressbar");
    this.meter.setAttribute("aria-label", "Images answered");
    this.meterFill = make("div", "fill");
    this.meter.append(this.meterFill);
    this.status = make("span", "status");
    this.status.setAttribute("role", "status");
    this.modeButtons = {};
    const modes = make("div", "segments");
    modes.setAttribute("role", "group");
    modes.setAttribute("aria-label", "View");
    for (const [mode, text] of [["grid", "Grid"], ["single", "Single"]]) {
      this.modeButtons[mode] = button("", `${text} (G)`, () => this.setMode(mode), icon(mode), make("span", "", text));
      modes.append(this.modeButtons[mode]);
    }
    const size = make("div", "segments size");
    size.append(
      button("", "Smaller tiles (−)", () => this.resize(-1), icon("minus")),
      button("", "Larger tiles (+)", () => this.resize(1), icon("plus")),
    );
    const help = button("quiet", "Keys (?)", () => this.toggleSheet(), make("span", "", "?"));
    const bar = make("div", "bar");
    const tools = make("div", "tools");
    tools.append(modes, size, help);
    bar.append(this.count, this.meter, this.status, tools);
    return bar;
  }

  buildBody() {
    this.grid = make("div", "grid");
    this.grid.setAttribute("role", "grid");
    this.grid.setAttribute("aria-multiselectable", "true");
    this.stage = make("div", "stage");
    this.stageImage = make("img");
    this.stageImage.draggable = false;
    this.stage.append(this.stageImage);
    this.stageNote = make("div", "note");
    const view = make("div", "view");
    const single = make("div", "single");
    single.append(this.stage, this.stageNote);
    this.band = make("div", "band");
    this.band.hidden = true;
    view.append(single, this.grid, this.band);
    this.view = view;
    const body = make("div", "body");
    body.append(view, this.buildPanel());
    return body;
  }

  buildPanel() {
    this.panel = make("div", "panel");
    this.preview = make("div", "preview");
    this.previewImage = make("img");
    this.previewImage.alt = "";
    this.preview.append(this.previewImage);
    this.previewNote = make("div", "note");
    this.guesses = make("div", "guesses");
    this.guesses.setAttribute("role", "group");
    this.guesses.setAttribute("aria-label", "The model's guesses");
    this.find = this.buildFind();
    this.palette = make("div", "palette");
    this.palette.setAttribute("role", "group");
    this.palette.setAttribute("aria-label", "Classes");
    const actions = make("div", "actions");
    const action = (name, label, key, run) => {
      const element = button("action", `${label} (${key})`, run, icon(name), make("span", "", label), keycap(key));
      actions.append(element);
      return element;
    };
    action("skip", "Skip", "Space", () => this.answer(SKIP));
    action("exclude", "Exclude", "X", () => this.answer(EXCLUDE));
    action("eraser", "Clear", "U", () => this.answer(UNLABEL));
    this.undoButton = action("undo", "Undo", "⌫", () => this.undo());
    this.trainText = make("span");
    this.trainButton = button("train", "", () => this.train(), icon("train"), this.trainText, keycap("Ctrl ↵"));
    const foot = make("div", "foot");
    foot.append(actions, this.trainButton);
    this.panel.append(this.preview, this.previewNote, this.guesses, this.find, this.palette, foot);
    return this.panel;
  }

  buildFind() {
    const input = make("input", "find");
    input.type = "text";
    input.placeholder = "Find a class  /";
    input.setAttribute("aria-label", "Find a class by its name");
    input.autocomplete = "off";
    input.spellcheck = false;
    input.addEventListener("input", () => this.filter());
    input.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Streamlit's own page keys must not see what is typed
      if (event.key === "Enter") {
        const hit = this.hits()[0];
        if (hit !== undefined) this.answer(hit);
        this.closeFind();
      } else if (event.key === "Escape") this.closeFind();
      else return;
      event.preventDefault();
    });
    return input;
  }

  buildSheet() {
    const sheet = make("div", "sheet");
    sheet.hidden = true;
    sheet.setAttribute("role", "dialog");
    sheet.setAttribute("aria-modal", "true");
    sheet.setAttribute("aria-label", "Keys");
    const card = make("div", "card");
    const head = make("div", "head");
    this.sheetClose = button("quiet", "Close (Esc)", () => this.toggleSheet(), icon("exclude"));
    head.append(make("h3", "", "Keys"), this.sheetClose);
    const columns = make("div", "columns");
    for (const [title, rows] of HELP) {
      const section = make("section");
      const list = make("dl");
      for (const [key, text] of rows) {
        const term = make("dt");
        term.append(make("kbd", "", key));
        list.append(term, make("dd", "", text));
      }
      section.append(make("h4", "", title), list);
      columns.append(section);
    }
    const alt = "A key that is a class's own name is that class; its command then needs Alt.";
    card.append(head, columns, make("p", "", alt));
    sheet.append(card);
    sheet.addEventListener("click", (event) => event.target === sheet && this.toggleSheet());
    return sheet;
  }

  listen() {
    this.stop = new AbortController();
    const { signal } = this.stop;
    // Capturing at the window: in front of Streamlit's own keys, which stay out of what is handled here.
    addEventListener("keydown", (event) => this.onKey(event), { signal, capture: true });
    addEventListener("keyup", (event) => event.key.toLowerCase() === "z" && this.hideZoom(), { signal });
    addEventListener("blur", () => this.hideZoom(), { signal });
    this.grid.addEventListener("click", (event) => this.onClick(event));
    this.grid.addEventListener("dblclick", (event) => this.tileAt(event) !== -1 && this.setMode("single"));
    this.grid.addEventListener("focusin", (event) => {
      const index = this.tileAt(event);
      if (index !== -1 && index !== this.cursor) this.moveTo(index, { focus: false });
    });
    this.view.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    this.listenSwipe();
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.view);
    this.watchFloor();
    this.unsubscribe = this.outbox.subscribe((...news) => this.onOutbox(...news));
  }

  /** Streamlit's bar at the bottom lies over the page: what sticks to the bottom must end above it. */
  watchFloor() {
    this.floor = document.querySelector('[data-testid="stBottom"]');
    if (this.floor) this.observer.observe(this.floor);
  }

  destroy() {
    this.stop.abort();
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.unsubscribe();
    clearTimeout(this.savedTimer);
    clearTimeout(this.training);
    this.outbox.retryNow();
    this.root.remove();
  }

  // -- data ------------------------------------------------------------------------------------------

  update(data, send) {
    this.sendTrigger = send;
    if (!data?.items) return;
    const fresh = this.data?.batch !== data.batch;
    const classesChanged = fresh || JSON.stringify(this.data.classes) !== JSON.stringify(data.classes);
    this.data = data;
    if (data.post) this.outbox.setPost(data.batch, data.post);
    if (classesChanged) this.rebuildPalette();
    if (fresh) this.begin();
    else this.refreshAddresses();
    if (fresh || data.rev > this.snapshot) this.takeLabels();
    this.paint();
    if (fresh) this.grabFocus();
    if (!this.floor?.isConnected) this.watchFloor();
  }

  begin() {
    this.labels.clear();
    this.acked = [];
    this.snapshot = -1;
    this.done = [];
    this.undone = [];
    this.selection.clear();
    clearTimeout(this.training);
    this.training = 0;
    this.since = performance.now();
    this.ids = this.data.items.map((item) => item.id);
    this.tiles.clear();
    this.data.items.forEach((item, index) => this.tiles.set(item.id, this.buildTile(item, index)));
    this.columns = 0;
    this.cursor = 0;
    this.root.classList.toggle("pixelated", Boolean(this.data.pixelated));
    this.setMode(this.preferences.mode, { remember: false });
  }

  takeLabels() {
    const first = this.snapshot < 0;
    this.snapshot = this.data.rev;
    this.acked = this.acked.filter((op) => op.rev > this.snapshot);
    this.mergeLabels();
    if (first) this.cursor = Math.max(0, this.nextOpen(-1));
    this.anchor = this.cursor;
  }

  /** The server's labels, then what they do not hold: answers acknowledged since, and those on their way. */
  mergeLabels() {
    this.labels = new Map(Object.entries(this.data.labels).map(([id, to]) => [Number(id), to]));
    for (const op of [...this.acked, ...this.outbox.waiting(this.data.batch)]) this.set(op.id, op.to);
  }

  onOutbox(acked, rev, refused) {
    this.paintStatus(); // not with the next frame: what is not saved must not be called saved even so long
    const mine = acked.filter((op) => op.batch === this.data?.batch);
    for (const { batch, id, to } of mine) this.acked.push({ batch, id, to, rev });
    if (refused.some((op) => op.batch === this.data?.batch)) {
      this.mergeLabels(); // what was refused must not look as if it were saved
      this.paint();
    }
    this.refresh();
    const experiment = this.data && this.data.batch.split("/")[0];
    if (this.outbox.denied.has(experiment) && !this.asked) {
      this.asked = true; // once per token: the page makes a new one
      this.sendTrigger?.("refresh", Date.now());
    }
    if (mine.length) {
      this.asked = false;
      this.announceSaved();
    }
  }

  /** Tell Streamlit in a pause, every few seconds at most: a rerun costs more than ten labels do. */
  announceSaved() {
    clearTimeout(this.savedTimer);
    const since = performance.now() - this.announced;
    const wait = this.left() ? Math.max(350, 4000 - since) : 150;
    this.savedTimer = setTimeout(() => {
      if (!this.data || this.training || this.outbox.waiting(this.data.batch).length) return;
      this.announced = performance.now();
      this.sendTrigger("saved", this.progress());
    }, wait);
  }

  progress() {
    const values = [...this.labels.values()];
    return {
      batch: this.data.batch,
      labeled: values.filter((to) => to >= 0).length,
      answered: values.length,
      sequence: ++this.sequence,
    };
  }

  set(id, to) {
    if (to === UNLABEL) this.labels.delete(id);
    else this.labels.set(id, to);
  }

  // -- answering -------------------------------------------------------------------------------------

  /** Give `value` to the selection, or to the image under the cursor, and go on. */
  answer(value) {
    if (this.data.readOnly) return this.say("This query is closed: nothing was changed.");
    const chosen = this.selection.size
      ? this.ids.filter((id) => this.selection.has(id))
      : [this.ids[this.cursor]];
    const changes = chosen
      .map((id) => ({ id, from: this.labels.get(id) ?? UNLABEL, to: value }))
      .filter((change) => change.from !== change.to);
    if (changes.length) {
      this.done.push(changes);
      this.undone = [];
      this.commit(changes.map(({ id, to }) => ({ id, to })));
    }
    const last = this.ids.indexOf(chosen[chosen.length - 1]);
    this.clearSelection();
    const next = value === UNLABEL ? -1 : this.nextOpen(last);
    this.moveTo(next === -1 ? last : next);
    this.describe(chosen.length, value);
  }

  commit(ops) {
    const now = performance.now();
    const ms = Math.min(600_000, Math.round((now - this.since) / ops.length));
    this.since = now;
    for (const { id, to } of ops) this.set(id, to);
    this.outbox.push(this.data.batch, ops.map((op) => ({ ...op, ms })));
    for (const { id } of ops) this.paintTile(id);
    this.refresh();
  }

  undo() {
    const changes = this.done.pop();
    if (!changes) return this.say("Nothing to undo.");
    this.undone.push(changes);
    this.replay(changes.map(({ id, from }) => ({ id, to: from })), "Undone");
  }

  redo() {
    const changes = this.undone.pop();
    if (!changes) return this.say("Nothing to redo.");
    this.done.push(changes);
    this.replay(changes.map(({ id, to }) => ({ id, to })), "Done again");
  }

  replay(ops, word) {
    this.clearSelection();
    this.commit(ops);
    this.moveTo(this.ids.indexOf(ops[0].id));
    this.say(`${word}. ${this.left()} left.`);
  }

  nextOpen(after) {
    const total = this.ids.length;
    for (let step = 1; step <= total; step++) {
      const index = (after + step + total) % total;
      if (!this.labels.has(this.ids[index])) return index;
    }
    return -1;
  }

  left() {
    return this.ids.length - this.labels.size;
  }

  nameOf(value) {
    if (value === SKIP) return "Skipped";
    if (value === EXCLUDE) return "Excluded";
    return value === undefined || value === UNLABEL ? "No answer" : this.data.classes[value];
  }

  describe(count, value) {
    const what = count > 1 ? `${count} images: ` : "";
    const left = this.left();
    this.say(`${what}${this.nameOf(value)}. ${left ? `${left} left.` : "All answered. Control Enter trains."}`);
  }

  say(text) {
    this.live.textContent = text;
  }

  /** Ask Streamlit to train, but only when every answer is acknowledged. */
  train() {
    if (this.training || !this.mayTrain()) return;
    const began = Date.now();
    const batch = this.data.batch;
    const attempt = () => {
      if (this.data.batch !== batch) return;
      if (this.outbox.waiting(batch).length) {
        this.outbox.retryNow();
        this.training = setTimeout(attempt, 60);
        this.refresh();
        return;
      }
      clearTimeout(this.savedTimer);
      this.sendTrigger("train", { ...this.progress(), asked: began });
      // A trigger may be lost on its way; asking again is harmless, a job starts once.
      this.training = setTimeout(attempt, 4000);
      this.refresh();
    };
    attempt();
  }

  mayTrain() {
    return !this.data.readOnly && [...this.labels.values()].some((to) => to >= 0);
  }

  // -- moving and selecting --------------------------------------------------------------------------

  moveTo(index, { focus = true } = {}) {
    const before = this.tiles.get(this.ids[this.cursor])?.tile;
    if (before) {
      before.tabIndex = -1;
      before.classList.remove("cursor");
    }
    this.cursor = Math.max(0, Math.min(this.ids.length - 1, index));
    const { tile } = this.tiles.get(this.ids[this.cursor]);
    tile.tabIndex = 0;
    tile.classList.add("cursor");
    if (focus && this.hasFocus()) this.following = true;
    this.refresh();
  }

  /** The focus goes with the cursor, and the tile into view. */
  follow() {
    if (!this.following) return;
    this.following = false;
    const { tile } = this.tiles.get(this.ids[this.cursor]);
    tile.focus({ preventScroll: true });
    this.reveal(tile);
  }

  hasFocus() {
    const active = this.root.getRootNode().activeElement;
    return document.activeElement === document.body || (active && this.root.contains(active));
  }

  reveal(tile) {
    const smooth = matchMedia("(prefers-reduced-motion: no-preference)").matches && this.preferences.mode === "grid";
    tile.scrollIntoView({ block: "nearest", inline: "nearest", behavior: smooth ? "smooth" : "auto" });
  }

  grabFocus() {
    const active = document.activeElement;
    const elsewhere = isEditable(active) || document.querySelector('[role="dialog"]');
    if (!elsewhere) this.tiles.get(this.ids[this.cursor])?.tile.focus({ preventScroll: true });
  }

  select(index, { extend = false, toggle = false } = {}) {
    if (extend) {
      const [low, high] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
      this.setSelection(this.ids.slice(low, high + 1));
    } else if (toggle) {
      const next = new Set(this.selection);
      const id = this.ids[index];
      if (!next.delete(id)) next.add(id);
      this.setSelection(next);
      this.anchor = index;
    } else {
      this.setSelection([]);
      this.anchor = index;
    }
    this.moveTo(index);
  }

  setSelection(ids) {
    const next = new Set(ids);
    for (const id of new Set([...this.selection, ...next])) {
      const { tile } = this.tiles.get(id);
      tile.classList.toggle("selected", next.has(id));
      tile.setAttribute("aria-selected", String(next.has(id)));
    }
    this.selection = next;
  }

  clearSelection() {
    if (this.selection.size) this.setSelection([]);
  }

  step(key, extend) {
    const row = this.preferences.mode === "grid" ? this.columns : 1;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, Home: -1e9, End: 1e9 }[key];
    const target = this.cursor + by;
    const inside = target >= 0 && target < this.ids.length;
    if (!inside && (key === "ArrowUp" || key === "ArrowDown")) return;
    if (!extend) this.anchor = Math.max(0, Math.min(this.ids.length - 1, target));
    this.select(Math.max(0, Math.min(this.ids.length - 1, target)), { extend });
  }

  // -- keys ------------------------------------------------------------------------------------------

  onKey(event) {
    const [target, ...path] = event.composedPath();
    if (!this.data || event.isComposing || isEditable(target) || event.key === "Tab") return;
    const inside = target === this.root || path.includes(this.root);
    const nowhere = target === document.body || target === document.documentElement;
    if (!inside && (!nowhere || document.querySelector('[role="dialog"]'))) return;
    const onButton = target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter");
    const command = event.ctrlKey || event.metaKey;
    if (onButton && !command) return event.stopPropagation();
    const handled = this.sheet.hidden ? this.runKey(event, command) : this.runSheetKey(event, command);
    if (handled) event.preventDefault();
    if (handled || !(command || event.altKey)) event.stopPropagation();
  }

  runSheetKey(event, command) {
    if (command) return false;
    if (event.key === "Escape" || event.key === "?") this.toggleSheet();
    return true;
  }

  runKey(event, command) {
    const arrow = event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End";
    if (command) return !event.altKey && this.runCommand(event);
    if (arrow && !event.altKey) return this.step(event.key, event.shiftKey), true;
    if (event.repeat) return !event.altKey;
    const value = event.altKey ? undefined : this.classOfKey(event);
    if (value !== undefined) return this.answer(value), true;
    return this.runLetter(event);
  }

  runCommand(event) {
    const key = event.key.toLowerCase();
    if (key === "enter" && !event.repeat) this.train();
    else if (key === "z" && event.shiftKey) this.redo();
    else if (key === "z") this.undo();
    else if (key === "y" && !event.shiftKey) this.redo();
    else if (key === "a" && !event.shiftKey) this.setSelection(this.ids);
    else return key === "enter";
    return true;
  }

  /** The class that a key means: its own character, or its number in the row of digits. */
  classOfKey(event) {
    const { classes } = this.data;
    if (this.ownKeys) {
      const exact = classes.indexOf(event.key);
      const upper = exact === -1 ? classes.indexOf(event.key.toUpperCase()) : exact;
      return upper === -1 || [...event.key].length !== 1 ? undefined : upper;
    }
    let index = /^[0-9]$/.test(event.key) ? (Number(event.key) + 9) % 10 : undefined;
    const digit = /^Digit([0-9])$/.exec(event.code);
    if (index === undefined && digit) {
      // Shift+1 is "!" on most keyboards; on those that need Shift for digits, a bare key is the digit.
      index = ((Number(digit[1]) + 9) % 10) + (event.shiftKey ? 10 : 0);
    }
    return index !== undefined && index < classes.length ? index : undefined;
  }

  runLetter(event) {
    const key = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key.toLowerCase();
    const commands = {
      " ": () => this.answer(SKIP),
      x: () => this.answer(EXCLUDE),
      u: () => this.answer(UNLABEL),
      q: () => this.guess(0),
      w: () => this.guess(1),
      e: () => this.guess(2),
      g: () => this.setMode(this.preferences.mode === "grid" ? "single" : "grid"),
      z: () => this.showZoom(),
      "+": () => this.resize(1),
      "=": () => this.resize(1),
      "-": () => this.resize(-1),
      "/": () => this.openFind(),
      "?": () => this.toggleSheet(),
      backspace: () => this.undo(),
      enter: () => this.setMode(this.preferences.mode === "grid" ? "single" : "grid"),
      escape: () => this.clearSelection(),
      i: () => this.sendTrigger("inspect", { id: this.ids[this.cursor], at: Date.now() }),
    };
    const run = Object.hasOwn(commands, key) ? commands[key] : undefined;
    if (run) run();
    return Boolean(run);
  }

  guess(rank) {
    const guess = this.data.showGuesses ? this.itemAt(this.cursor).guesses?.[rank] : undefined;
    if (guess) this.answer(guess[0]);
  }

  itemAt(index) {
    return this.data.items[index];
  }
}

Object.assign(LabelGrid.prototype, painting, pointing);

const mounted = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let grid = mounted.get(parentElement);
  if (!grid) mounted.set(parentElement, (grid = new LabelGrid(parentElement)));
  grid.update(data, setTriggerValue);
  return () => {
    grid.destroy();
    mounted.delete(parentElement);
  };
}
