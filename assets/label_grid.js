/* The labelling grid: shows a query's images and takes a person's answers, by key, pointer or touch.
 *
 * Streamlit calls the default export again at each change of `data` and cleans up only at unmount, so the
 * state lives in a WeakMap and listeners are attached once. Answers leave through the outbox
 * (label_outbox.js; the wrapper puts the other label_*.js in front of this file). Text becomes DOM by textContent only.
 */
class LabelGrid {
  constructor(parent) {
    this.parent = parent;
    this.outbox = outbox();
    this.data = null;
    this.labels = new Map(); // id -> class, SKIP or EXCLUDE
    this.marks = new Map(); // id -> {unsure, flag, note}
    this.pending = new Set(); // ids with an answer that is not acknowledged
    this.acked = []; // {batch, id, to, mark, text, rev}: acknowledged after the snapshot in data.labels
    this.snapshot = -1; // rev of that snapshot
    this.tiles = new Map(); // id -> {tile, img, strip, ...}
    this.ids = [];
    this.cursor = 0;
    this.anchor = 0;
    this.selection = new Set();
    this.leftOut = new Set(); // of their lanes
    this.laneParts = new Map(); // class -> {ids, left, confirm}
    this.audit = null; // a bulk confirm under way
    this.memory = { done: [], undone: [], trail: [], times: [] };
    this.hit = 0; // which of the classes that fit what is typed
    this.columns = 1;
    this.frame = 0;
    this.following = false; // the focus is to go with the cursor in the next frame
    this.training = 0; // timer while the request to train is on its way
    this.part = "asked"; // of the query: the asked images, or those ahead
    this.next = null; // a newer query that waits until this one is left
    this.active = false; // whether something was answered here
    this.newNames = []; // names of classes made here that the server has not told of
    this.savedTimer = 0;
    this.announced = -Infinity;
    this.sequence = 0;
    this.since = performance.now();
    this.preferences = this.readPreferences();
    this.keyed = []; // {element, label, action}: buttons that show a key
    this.rebinding = null; // the action that waits for its new key
    this.build();
    this.listen();
    this.listenSeat();
  }

  readPreferences() {
    const standard = { mode: "grid", chosen: "", size: 0 };
    try {
      return { ...standard, ...JSON.parse(localStorage.getItem(PREFERENCES) ?? "{}") };
    } catch {
      return standard;
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
    this.root.append(this.buildBar(), this.buildAhead(), this.buildBody());
    this.live = make("div", "hidden");
    this.live.setAttribute("aria-live", "polite");
    this.live.setAttribute("role", "status");
    this.zoom = make("div", "zoom");
    this.zoom.hidden = true;
    this.sheet = this.buildSheet();
    this.root.append(this.live, this.zoom, this.sheet, this.buildTour());
    this.parent.append(this.root);
    this.loadKeys();
  }

  buildBar() {
    this.count = make("span", "count");
    this.meter = make("div", "meter");
    this.meter.setAttribute("role", "progressbar");
    this.meter.setAttribute("aria-label", tr("Images answered"));
    this.meterFill = make("div", "fill");
    this.meter.append(this.meterFill);
    this.status = make("span", "status");
    this.status.setAttribute("role", "status");
    this.modeButtons = {};
    const modes = make("div", "segments");
    modes.setAttribute("role", "group");
    modes.setAttribute("aria-label", tr("View"));
    for (const [mode, text] of [["grid", tr("Grid")], ["single", tr("Single")], ["lanes", tr("Lanes")]]) {
      const element = button("", text, () => this.setMode(mode), icon(mode), make("span", "", text));
      this.modeButtons[mode] = this.withKey(element, text, "mode");
      modes.append(this.modeButtons[mode]);
    }
    const size = make("div", "segments size");
    size.append(
      this.withKey(button("", "", () => this.resize(-1), icon("minus")), tr("Smaller tiles"), "smaller"),
      this.withKey(button("", "", () => this.resize(1), icon("plus")), tr("Larger tiles"), "larger"),
    );
    const help = this.withKey(button("quiet", "", () => this.toggleSheet(), make("span", "", "?")), tr("Keys"), "help");
    const guide = this.guideButton("quiet guide-opener");
    const bar = (this.bar = make("div", "bar"));
    const tools = make("div", "tools");
    this.bulkText = make("span");
    this.bulkButton = button("bulk", "", () => this.openAudit(), icon("check"), this.bulkText, keycap(""));
    this.withKey(this.bulkButton, "", "bulk");
    this.lensButton = button("quiet", "", () => this.toggleLens(), icon("lens"));
    this.withKey(this.lensButton, tr("Brightness and contrast"), "lens");
    this.lensButton.setAttribute("aria-expanded", "false");
    tools.append(this.bulkButton, modes, size, this.lensButton, guide, help, this.buildLens());
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
    single.append(this.stage, this.buildSwipe(), this.stageNote);
    this.band = make("div", "band");
    this.band.hidden = true;
    view.append(this.buildTrail(), single, this.grid, this.band);
    this.view = view;
    const body = make("div", "body");
    body.append(view, this.buildGuide(), this.buildPanel());
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
    this.guesses.setAttribute("aria-label", tr("The model's guesses"));
    this.find = this.buildFind();
    this.palette = make("div", "palette");
    this.palette.setAttribute("role", "group");
    this.palette.setAttribute("aria-label", tr("Classes"));
    const actions = make("div", "actions");
    const action = (name, label, { sign = name, run = () => RUNS[name](this), key = "" } = {}) => {
      const element = button("action", tr("{label} ({key})", { label, key }), run, icon(sign), make("span", "", label), keycap(key));
      actions.append(element);
      return key ? element : this.withKey(element, label, name);
    };
    action("skip", tr("Skip"));
    action("exclude", tr("Exclude"));
    this.markButtons = {
      [UNSURE]: action(UNSURE, tr("Unsure")),
      [FLAG]: action(FLAG, tr("Flag")),
      [NOTE]: action(NOTE, tr("Note")),
    };
    action("clear", tr("Clear"), { sign: "eraser" });
    this.undoButton = action("undo", tr("Undo"));
    this.redoButton = action("redo", tr("Redo"), { run: () => this.redo(), key: tr("Ctrl ⇧ Z") });
    this.trainText = make("span");
    this.trainButton = button("train", "", () => this.train(), icon("train"), this.trainText, keycap(tr("Ctrl ↵")));
    const foot = make("div", "foot");
    const row = make("div", "train-row");
    row.append(this.trainButton, this.buildTouchTools());
    foot.append(actions, row, this.buildAuto());
    this.noteField = this.buildNoteField();
    this.panel.append(
      this.preview, this.previewNote, this.guesses, this.find, this.buildOffer(), this.palette, this.noteField, foot,
    ); // prettier-ignore
    return this.panel;
  }

  /** What keys do elsewhere, where there may be no keyboard: a new class, and the guidelines. */
  buildTouchTools() {
    const tools = make("div", "touch-tools");
    this.newButton = button("touch-tool", "", () => this.toggleNewClass(), icon("plus"), make("span", "", tr("New class")));
    this.withKey(this.newButton, tr("New class"), "newClass");
    tools.append(this.newButton, this.guideButton("touch-tool"));
    return tools;
  }

  buildFind() {
    const input = make("input", "find");
    input.type = "text";
    input.placeholder = tr("Find a class  /");
    input.setAttribute("aria-label", tr("Find a class by its name"));
    input.autocomplete = "off";
    input.spellcheck = false;
    input.addEventListener("input", () => this.filter());
    input.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Streamlit's own page keys must not see what is typed
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        this.hit += event.key === "ArrowDown" ? 1 : -1;
        this.filter({ keep: true });
      } else if (event.key === "Enter") {
        if (!event.isComposing) this.takeTyped(event.shiftKey || this.naming);
      } else if (event.key === "Escape") this.closeFind();
      else return;
      event.preventDefault();
    });
    return input;
  }

  listen() {
    this.stop = new AbortController();
    const { signal } = this.stop;
    // Capturing at the window: in front of Streamlit's own keys, which stay out of what is handled here.
    addEventListener("keydown", (event) => this.onKey(event), { signal, capture: true });
    addEventListener("keyup", () => this.hideZoom(), { signal });
    addEventListener("blur", () => this.hideZoom(), { signal });
    addEventListener("pagehide", () => this.data && this.remember(), { signal });
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
    clearTimeout(this.classTimer);
    this.outbox.retryNow();
    this.leaveSeat();
    this.leaveGuide();
    if (this.data) this.remember();
    this.root.remove();
  }

  // -- data ------------------------------------------------------------------------------------------

  update(data) {
    if (!data?.items) return;
    if (data.batch !== this.data?.batch && this.mustHold(data)) return this.hold(data);
    const fresh = this.data?.batch !== data.batch;
    this.next = null;
    data = this.withClasses(data);
    const classesOf = ({ classes, closed, into }) => JSON.stringify([classes, closed, into]);
    const classesChanged = !fresh && classesOf(this.data) !== classesOf(data);
    this.data = data;
    this.takePins(data);
    if (this.keysPlace !== KEYS_STORED + (data.person ?? "")) this.loadKeys();
    if (data.post) this.outbox.setPost(data.batch, data.post);
    if (fresh) this.rebuildPalette();
    if (fresh) this.begin();
    else this.refreshAddresses();
    this.updateSeat();
    if (this.preferences.mode === "lanes" && !this.mayLane()) this.setMode("grid", { remember: false });
    if (data.training) this.endRequest();
    if (fresh || data.rev > this.snapshot) this.takeLabels();
    if (classesChanged) this.followClasses();
    this.paint();
    if (fresh) this.grabFocus();
    if (fresh) this.beginGuide();
    if (fresh) this.beginTour();
    if (fresh) this.trainOn();
    else if (this.part === "asked" && data.training) this.partDone();
    if (!this.floor?.isConnected) this.watchFloor();
  }

  begin() {
    this.labels.clear();
    this.marks.clear();
    this.acked = [];
    this.snapshot = -1;
    this.memory = memoryOf(experimentOf(this.data.batch));
    this.selection.clear();
    this.leftOut.clear();
    if (this.audit) this.closeAudit();
    this.endRequest();
    this.since = performance.now();
    this.part = this.firstPart();
    this.active = false;
    this.seatOf = this.data.person ?? "";
    this.beginSeat();
    this.tiles.clear();
    for (const item of this.itemsOf("asked")) this.tiles.set(item.id, this.buildTile(item));
    for (const item of this.itemsOf("ahead")) this.tiles.set(item.id, this.buildTile(item, { fetch: false }));
    if (this.part === "ahead") this.fetchAhead();
    this.ids = [];
    this.columns = 0;
    this.cursor = 0;
    this.paintLens();
    this.setMode(this.standardMode(), { remember: false });
  }

  /** The view that the person chose; until then lanes where the guesses have been nearly always right. */
  standardMode() {
    const { chosen } = this.preferences;
    if (chosen && (chosen !== "lanes" || this.mayLane())) return chosen;
    const { answered = 0, right = 0 } = this.data.trust ?? {};
    return answered >= 20 && right / answered >= 0.85 && this.mayLane() ? "lanes" : "grid";
  }

  takeLabels() {
    const first = this.snapshot < 0;
    this.snapshot = this.data.rev;
    this.acked = this.acked.filter((op) => op.rev > this.snapshot);
    this.mergeLabels();
    if (!first) return; // what is being selected goes on
    this.cursor = Math.max(0, this.nextOpen(-1));
    this.anchor = this.cursor;
  }

  /** The server's labels, then what they do not hold: answers acknowledged since, and those on their way. */
  mergeLabels() {
    const byNumber = (entries) => new Map(Object.entries(entries).map(([id, value]) => [Number(id), value]));
    this.labels = byNumber(this.data.labels);
    this.marks = byNumber(this.data.marks ?? {});
    for (const op of [...this.acked, ...this.outbox.waiting(this.data.batch)]) this.set(op);
    this.hideFirstAnswers();
  }

  onOutbox(acked, rev, refused, taken = []) {
    this.paintStatus(); // not with the next frame: what is not saved must not be called saved even so long
    const experiment = this.data && experimentOf(this.data.batch);
    const mine = acked.filter((op) => op.batch === this.data?.batch);
    const others = new Set(mine.length ? taken.map(({ id }) => id) : []);
    for (const op of mine) if (!others.has(op.id) || op.mark) this.acked.push({ ...op, rev });
    if (others.size) this.giveWay(taken);
    if (mine.length) this.speakIfShort();
    if (refused.some((op) => op.batch === this.data?.batch)) {
      this.dropRefused(refused);
      this.mergeLabels(); // what was refused must not look as if it were saved
      this.paint();
    }
    this.refresh();
    if (this.outbox.denied.has(experiment) && !this.asked) {
      this.asked = true; // once per token: the page makes a new one
      this.note?.("refresh");
    }
    if (acked.some((op) => experimentOf(op.batch) === experiment)) {
      this.asked = false;
      this.elsewhere ||= mine.length < acked.filter((op) => experimentOf(op.batch) === experiment).length;
      this.announceSaved();
      this.noticeClasses();
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
      this.note("saved", { ...this.progress(), elsewhere: Boolean(this.elsewhere) });
      this.elsewhere = false;
      this.guideSaved();
    }, wait);
  }

  progress() {
    const values = this.ids.map((id) => this.labels.get(id)).filter((to) => to !== undefined);
    return {
      batch: this.data.batch,
      labeled: values.filter((to) => to >= 0).length,
      answered: values.length,
      sequence: ++this.sequence,
    };
  }

  set(op) {
    const { id, to } = op;
    if (op.mark) this.setMark(op);
    else if (to === UNLABEL) this.labels.delete(id);
    else this.labels.set(id, this.valueFor(op));
  }

  // -- answering -------------------------------------------------------------------------------------

  /** Give `value` to the selection, or to the image under the cursor, and go on. */
  answer(value, { name } = {}) {
    if (this.refuseClosed()) return;
    const chosen = this.chosen();
    const changes = chosen
      .map((id) => ({ id, from: { to: this.labels.get(id) ?? UNLABEL }, to: { to: value, name } }))
      .filter(({ from, to }) => from.to !== to.to);
    this.carryOut(changes);
    const last = this.ids.indexOf(chosen[chosen.length - 1]);
    this.clearSelection();
    const stays = value === UNLABEL || this.preferences.advance === false; // as chosen on the Settings page
    const next = stays ? -1 : this.nextOpen(last);
    this.moveTo(next === -1 ? last : next);
    this.describe(chosen.length, value);
    this.partDone();
  }

  /** The images that a key is about: the selection, or the one under the cursor. */
  chosen() {
    return this.selection.size ? this.ids.filter((id) => this.selection.has(id)) : [this.ids[this.cursor]];
  }

  refuseClosed() {
    if (this.data.readOnly) this.say(tr("This query is closed: nothing was changed."));
    return this.data.readOnly;
  }

  /** Make changes [{id, from, to}] that one undo takes back; `from` and `to` are {to, mark, text}. */
  carryOut(changes) {
    if (!changes.length) return;
    changes = changes.map(({ id, from, to }) => ({ id, from: this.named(from), to: this.named(to) }));
    this.memory.done.push({ batch: this.data.batch, changes });
    this.memory.undone = [];
    this.commit(changes.map(({ id, to }) => ({ id, ...to })));
  }

  commit(ops) {
    this.active = true;
    const now = performance.now();
    const ms = Math.min(600_000, Math.round((now - this.since) / ops.length));
    this.since = now;
    for (const op of ops) this.set(op);
    this.noteOwn(ops);
    this.leaveTrail(this.data.batch, ops);
    const blind = (op) => this.data.blind && !op.mark && op.to >= 0 && !op.how;
    const said = (op) => ({ ...(blind(op) ? { how: "blind" } : {}), ...this.guessShown(op) });
    this.outbox.push(this.data.batch, ops.map((op) => ({ ...op, ms, ...said(op) })));
    for (const { id } of ops) this.paintTile(id);
    this.refresh();
  }

  undo() {
    const step = this.memory.done.pop();
    if (!step) return this.say(tr("Nothing to undo."));
    this.memory.undone.push(step);
    this.replay(step.batch, step.changes.map(({ id, from }) => ({ id, ...from })), false);
  }

  redo() {
    const step = this.memory.undone.pop();
    if (!step) return this.say(tr("Nothing to redo."));
    this.memory.done.push(step);
    this.replay(step.batch, step.changes.map(({ id, to }) => ({ id, ...to })), true);
  }

  replay(batch, ops, again) {
    if (batch !== this.data.batch) return this.replayEarlier(batch, ops, again);
    this.showPart(this.partOf(ops[0].id));
    this.clearSelection();
    this.commit(ops);
    this.moveTo(this.ids.indexOf(ops[0].id));
    const left = this.left();
    this.say(again ? tr("Done again. {left} left.", { left }) : tr("Undone. {left} left.", { left }));
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
    return this.ids.filter((id) => !this.labels.has(id)).length;
  }

  nameOf(value) {
    if (value === SKIP) return tr("Skipped");
    if (value === EXCLUDE) return tr("Excluded");
    return value === undefined || value === UNLABEL ? tr("No answer") : this.data.classes[value];
  }

  describe(count, value) {
    const left = this.left();
    const name = this.nameOf(value);
    const what = count > 1 ? trN("{n} images: {name}.", "{n} images: {name}.", count, { name }) : `${name}.`;
    const next = left ? tr("{left} left.", { left }) : tr("All answered. Control Enter trains.");
    this.say(`${what} ${next}`);
  }

  say(text) {
    this.live.textContent = text;
  }

  /** Ask Streamlit to train, but only when every answer is acknowledged. */
  train() {
    if (this.isTraining() || !this.mayTrain()) return;
    const began = Date.now();
    const { batch } = this.data;
    const { rounds } = this.newest();
    const open = this.left();
    const attempt = () => {
      if (this.data.batch !== batch || this.newest().rounds !== rounds) return;
      if (this.outbox.waiting(batch).length) {
        this.outbox.retryNow();
        this.training = setTimeout(attempt, 60);
        this.refresh();
        return;
      }
      clearTimeout(this.savedTimer);
      this.note("train", { ...this.progress(), asked: began, rounds: rounds ?? null });
      // A note may be lost on its way; asking again is harmless, a job starts once.
      this.training = setTimeout(attempt, 4000);
      this.refresh();
    };
    this.active = false;
    attempt();
    if (open) this.tell(trN("Training; the {n} open images can still be labeled.", "Training; the {n} open images can still be labeled.", open));
    else this.partDone();
  }

  /** The request to train has arrived, or is no longer needed. */
  endRequest() {
    clearTimeout(this.training);
    this.training = 0;
  }

  mayTrain() {
    return !this.data.readOnly && this.newLabels() > 0;
  }

  // -- moving and selecting --------------------------------------------------------------------------

  moveTo(index, { focus = true } = {}) {
    const before = this.tiles.get(this.ids[this.cursor])?.tile;
    if (before) {
      before.tabIndex = -1;
      before.classList.remove("cursor");
    }
    this.cursor = Math.max(0, Math.min(this.ids.length - 1, index));
    // A selection to come begins where one is; not at the focus that comes before a click with Shift.
    if (focus && !this.selection.size) this.anchor = this.cursor;
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
    if (isEditable(this.root.getRootNode().activeElement)) return; // a field was opened since: what is typed is its
    const { tile } = this.tiles.get(this.ids[this.cursor]);
    tile.focus({ preventScroll: true });
    this.reveal(tile);
  }

  hasFocus() {
    const active = this.root.getRootNode().activeElement;
    return isNowhere(document.activeElement) || (active && this.root.contains(active));
  }

  reveal(tile) {
    const moving = matchMedia("(prefers-reduced-motion: no-preference)").matches && document.documentElement.dataset.motion !== "reduce";
    const smooth = moving && this.preferences.mode === "grid";
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
    } else this.setSelection([]);
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
    const { mode } = this.preferences;
    const vertical = key === "ArrowUp" || key === "ArrowDown";
    if (mode === "lanes" && vertical) return this.stepOver(key === "ArrowDown" ? 1 : -1, extend);
    const row = mode === "grid" ? this.columns : 1;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, Home: -1e9, End: 1e9 }[key];
    const target = this.cursor + by;
    const inside = target >= 0 && target < this.ids.length;
    if (!inside && vertical) return;
    this.select(Math.max(0, Math.min(this.ids.length - 1, target)), { extend });
  }

  /** Up or down where rows differ in length: to the nearest tile of the next row. */
  stepOver(direction, extend) {
    const boxes = this.ids.map((id) => this.tiles.get(id).tile.getBoundingClientRect());
    const here = boxes[this.cursor];
    const beyond = boxes.map((box, index) => [direction * (box.top - here.top), Math.abs(box.left - here.left), index])
      .filter(([down]) => down > 4); // prettier-ignore
    const [target] = beyond.sort((one, two) => one[0] - two[0] || one[1] - two[1]);
    if (target) this.select(target[2], { extend });
  }

  // -- keys ------------------------------------------------------------------------------------------

  onKey(event) {
    const [target, ...path] = event.composedPath();
    const switched = target === this.auto; // a box that is ticked takes no letters: keys go on labelling
    if (!this.data || event.isComposing || (isEditable(target) && !switched) || event.key === "Tab") return;
    const inside = target === this.root || path.includes(this.root);
    // the Classes dialog gives the focus back to its button: a key there is for the images again
    const opener = target.closest?.(".st-key-classes") && event.key !== " " && event.key !== "Enter";
    const nowhere = opener || isNowhere(target);
    if (!inside && (!nowhere || document.querySelector('[role="dialog"]'))) return;
    if (this.guideKey(event, target)) return event.stopPropagation();
    const onButton = (switched || target instanceof HTMLButtonElement) && (event.key === " " || event.key === "Enter");
    const command = event.ctrlKey || event.metaKey;
    if (onButton && !command && !this.rebinding && !(this.audit && event.key === "Enter")) return event.stopPropagation();
    const run = this.audit ? "runAuditKey" : !this.sheet.hidden ? "runSheetKey" : this.guideCovered() ? "runGuideKey" : "runKey";
    const handled = (this.audit && command) ? false : this[run](event, command);
    if (handled && opener) this.grabFocus();
    if (handled) event.preventDefault();
    if (handled || !(command || event.altKey)) event.stopPropagation();
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

  runLetter(event) {
    if (event.key === "Enter") this.setMode(this.preferences.mode === "single" ? "grid" : "single");
    else if (event.key === "Escape" && this.touring >= 0) this.endTour();
    else if (event.key === "Escape" && !this.selection.size && !this.guide.hidden) this.closeGuide();
    else if (event.key === "Escape") this.clearSelection();
    else {
      const action = this.actionOf(event);
      if (action) RUNS[action](this);
      return Boolean(action);
    }
    return true;
  }

  guess(rank) {
    const item = this.itemAt(this.cursor);
    const guess = this.data.showGuesses ? item.guesses?.[rank] : undefined;
    if (guess) this.answer(guess[0]);
    else if (item.blind) this.tell(tr("The guess is hidden for this image: give its class."));
  }

  /** Whether the model's guesses were to be seen, for a class that is given; nothing where there are none. */
  guessShown({ id, to, mark }) {
    const { guesses, blind } = this.tiles.get(id)?.item ?? {};
    if (mark || to < 0 || (!blind && !guesses?.length)) return {};
    return { shown: !blind };
  }

  itemAt(index) {
    return this.tiles.get(this.ids[index]).item;
  }
}

Object.assign(LabelGrid.prototype, painting, pointing, classing, marking, lanes, trailing, looking, keying, touring, seating, goingAhead, swiping, guiding, pinning);

const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let grid = mounted.get(parentElement);
  if (!grid) mounted.set(parentElement, (grid = new LabelGrid(parentElement)));
  grid.note = noteWriter(parentElement, setStateValue);
  grid.update(data);
  return () => {
    grid.destroy();
    mounted.delete(parentElement);
  };
}
