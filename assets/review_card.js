/* The second look: one image at a time, what was said of it, and a decision by key or click.
 *
 * Stands behind label_outbox.js and label_view.js and uses their small parts. Decisions leave through the outbox,
 * so what is not committed is not called saved. A blind question holds neither labels nor guesses.
 */
const DECISION_KEYS = { keep: ["k", "enter"], fix: ["f"], exclude: ["x"], next: ["n", "arrowright"], back: ["arrowleft"], undo: ["backspace"] };
const WHY = {
  people: tr("People disagree"),
  self: tr("You said two things"),
  flag: tr("Flagged"),
  unsure: tr("Unsure"),
  model: tr("The model was sure of another class"),
  reask: tr("Which class is it? You have labeled this one before"),
};

class ReviewCard {
  constructor(parent) {
    this.outbox = outbox();
    this.data = null;
    this.cases = [];
    this.decided = new Map(); // id -> the value that was given, or "kept"
    this.done = []; // for undo: {entry, ops, value}
    this.at = 0;
    this.since = performance.now();
    this.stop = new AbortController();
    this.build(parent);
    addEventListener("keydown", (event) => this.onKey(event), { signal: this.stop.signal, capture: true });
    this.unsubscribe = this.outbox.subscribe((acked, rev, refused) => this.onOutbox(acked, refused));
  }

  destroy() {
    this.stop.abort();
    this.unsubscribe();
    clearTimeout(this.timer);
    this.outbox.retryNow();
    this.root.remove();
  }

  // -- building --------------------------------------------------------------------------------------

  build(parent) {
    this.root = make("div", "askwell review");
    this.count = make("span", "count");
    this.status = make("span", "status");
    this.status.setAttribute("role", "status");
    const bar = make("div", "bar");
    bar.append(this.count, this.status);
    this.picture = make("img");
    this.picture.draggable = false;
    this.picture.addEventListener("load", () => this.fitPicture());
    this.stage = make("div", "stage");
    this.stage.append(this.picture);
    this.side = make("div", "side");
    this.why = make("h3", "why");
    this.words = make("div", "words");
    this.words.setAttribute("role", "group");
    this.words.setAttribute("aria-label", tr("What was said of it"));
    this.palette = make("div", "palette");
    this.palette.setAttribute("role", "group");
    this.palette.setAttribute("aria-label", tr("Classes"));
    this.actions = make("div", "decide");
    this.keep = this.action(tr("Keep"), "K", "check", () => this.keepLabel());
    this.fix = this.action(tr("Fix"), "F", "eraser", () => this.fixLabel());
    this.exclude = this.action(tr("Exclude"), "X", "exclude", () => this.decide(EXCLUDE));
    this.skip = this.action(tr("Next"), "N", "skip", () => this.move(1));
    this.back = this.action(tr("Undo"), "⌫", "undo", () => this.undo());
    this.history = button("link", "", () => this.askHistory(), make("span", "", tr("History of this image")));
    this.side.append(this.why, this.words, this.actions, this.palette, this.history);
    this.queue = make("div", "slots");
    this.queue.setAttribute("role", "group");
    this.queue.setAttribute("aria-label", tr("Queue"));
    this.live = make("div", "hidden");
    this.live.setAttribute("aria-live", "polite");
    const body = make("div", "second-look");
    body.append(this.stage, this.side);
    this.root.append(bar, body, this.queue, this.live);
    parent.append(this.root);
  }

  action(label, key, sign, run) {
    const words = make("span", "", label);
    const element = button("act", "", run, icon(sign), words, keycap(key));
    this.actions.append(element);
    return { element, words };
  }

  // -- data ------------------------------------------------------------------------------------------

  update(data) {
    if (!data?.cases) return;
    const shown = this.current?.id;
    const classesOf = (each) => JSON.stringify([each?.classes, each?.closed]);
    const classes = classesOf(this.data) !== classesOf(data);
    this.data = data;
    this.outbox.setPost(`${data.experiment}/`, data.post);
    if (classes) this.buildPalette();
    // The server's list may be older than the last decisions: what was decided here stays decided.
    this.cases = data.cases.filter(({ id, why }) => !this.decided.has(`${id} ${why}`));
    const place = this.cases.findIndex(({ id }) => id === shown);
    this.at = place === -1 ? Math.min(this.at, Math.max(0, this.cases.length - 1)) : place;
    this.paint();
  }

  buildPalette() {
    const { classes } = this.data;
    this.layoutKeys();
    const open = this.openIds();
    this.palette.replaceChildren(...open.map((index) => {
      const name = classes[index];
      const element = button("class", "", () => this.decide(index), keycap(this.keys[index]), make("span", "swatch"), make("span", "name", name));
      element.style.setProperty("--colour", colourOf(index));
      element.classList.toggle("itself", this.keys[index] === name);
      return element;
    }));
    this.palette.classList.toggle("own", this.ownKeys);
    this.palette.classList.toggle("many", open.length > 12);
  }

  get current() {
    return this.cases[this.at];
  }

  nameOf(value) {
    if (value === null || value === undefined) return tr("no label");
    return { [SKIP]: tr("skipped"), [EXCLUDE]: tr("excluded") }[value] ?? this.data.classes[value] ?? "?";
  }

  // -- painting --------------------------------------------------------------------------------------

  paint() {
    const entry = this.current;
    this.root.classList.toggle("pixelated", Boolean(this.data.pixelated));
    this.root.classList.toggle("empty", !entry);
    this.paintStatus();
    this.count.replaceChildren(...among(tr("{count} to look at"), { count: make("b", "", String(this.cases.length)) }));
    const decided = tr("{count} decided here", { count: this.done.length });
    if (this.done.length) this.count.append(make("span", "aside", ` · ${decided}`));
    this.back.element.disabled = !this.done.length;
    if (!entry) return this.paintEmpty();
    const blind = entry.why === "reask";
    if (this.picture.getAttribute("src") !== entry.large) this.picture.src = entry.large;
    else this.fitPicture();
    this.picture.alt = entry.alt;
    this.why.textContent = WHY[entry.why];
    this.words.replaceChildren(...this.said(entry));
    this.keep.element.hidden = blind || entry.label === null;
    this.keep.words.textContent = tr("Keep {name}", { name: this.nameOf(entry.label) });
    const fix = entry.suggestion ?? null;
    this.fix.element.hidden = blind || fix === null;
    this.fix.words.textContent = fix === null ? tr("Fix") : tr("It is {name}", { name: this.nameOf(fix) });
    this.exclude.element.hidden = blind;
    this.paintQueue();
  }

  paintEmpty() {
    this.why.textContent = tr("Nothing is left to look at");
    this.words.replaceChildren(make("p", "", tr("Decided ones can be taken back with ⌫.")));
    this.picture.removeAttribute("src");
    this.queue.replaceChildren();
  }

  /** What people and model said, each with its class. */
  said(entry) {
    if (entry.why === "reask") return [make("p", "", tr("Your earlier label is hidden: this measures how steady you are, and changes nothing."))];
    const rows = entry.words.map(([who, to]) => this.row(who || tr("me"), to));
    if (!rows.length && entry.label !== null) rows.push(this.row(tr("label"), entry.label));
    if (entry.guess) rows.push(this.row(tr("model"), entry.guess[0], percent(entry.guess[1])));
    if (entry.note) rows.push(make("p", "noted", tr("“{note}”", { note: entry.note })));
    if (entry.marks.length) rows.push(make("p", "", entry.marks.map((mark) => ({ flag: tr("flagged"), unsure: tr("unsure") })[mark]).join(", ")));
    return rows;
  }

  row(who, to, chance = "") {
    const chip = make("span", "chip", this.nameOf(to));
    if (to >= 0) chip.style.setProperty("--colour", colourOf(to));
    const row = make("div", "saying");
    row.append(make("span", "who", who), chip, make("span", "chance", chance));
    return row;
  }

  paintQueue() {
    const from = Math.max(0, Math.min(this.at - 3, this.cases.length - 12));
    this.queue.replaceChildren(...this.cases.slice(from, from + 12).map((entry, index) => {
      const picture = make("img");
      picture.src = entry.small;
      picture.alt = "";
      picture.draggable = false;
      const slot = button("slot", tr("{why}: {file}", { why: WHY[entry.why], file: entry.alt }), () => this.go(from + index), picture);
      slot.classList.toggle("now", from + index === this.at);
      return slot;
    }));
  }

  fitPicture() {
    const { naturalWidth, naturalHeight } = this.picture;
    if (!this.data.pixelated || !naturalWidth) return;
    const most = Math.max(272, 12 * Math.max(naturalWidth, naturalHeight)); // few pixels read better not too large
    const room = Math.min(this.stage.clientWidth, this.stage.clientHeight, most) - 16;
    const factor = Math.max(1, Math.floor(room / Math.max(naturalWidth, naturalHeight)));
    this.picture.style.width = `${naturalWidth * factor}px`;
    this.picture.style.height = `${naturalHeight * factor}px`;
  }

  paintStatus() {
    const waiting = this.outbox.ours().length;
    const { failures, denied, refused, refusal } = this.outbox;
    let [text, state] = [tr("All saved"), "saved"];
    if (waiting && denied.size) [text, state] = [tr("{waiting} not saved: reload the page", { waiting }), "trouble"];
    else if (waiting && failures) [text, state] = [tr("{waiting} not saved, retrying", { waiting }), "trouble"];
    else if (waiting) [text, state] = [tr("Saving…"), "saving"];
    else if (refused) [text, state] = [tr("{refused} refused: {refusal}", { refused, refusal }), "trouble"];
    if (this.status.dataset.text === text) return;
    this.status.dataset.text = text;
    this.status.dataset.state = state;
    this.status.replaceChildren(make("span", "lamp"), make("span", "", text));
  }

  // -- deciding --------------------------------------------------------------------------------------

  keepLabel() {
    const entry = this.current;
    if (entry && entry.why !== "reask" && entry.label !== null) this.decide(entry.label);
  }

  fixLabel() {
    const fix = this.current?.suggestion ?? null;
    if (fix !== null && this.current.why !== "reask") this.decide(fix);
  }

  /** Say what it is; marks that asked for the look are answered by it. */
  decide(to) {
    const entry = this.current;
    if (!entry) return;
    const { id, batch, why } = entry;
    const ms = Math.min(600_000, Math.round(performance.now() - this.since));
    const ops = why === "reask" ? [{ id, to, mark: "opinion", how: "reask", ms }] : [{ id, to, ms }];
    if (why !== "reask") for (const mark of entry.marks) ops.push({ id, mark, to: 0 });
    this.decided.set(`${id} ${why}`, to);
    this.done.push({ entry, place: this.at });
    this.outbox.push(batch, ops);
    this.cases.splice(this.at, 1);
    this.at = Math.min(this.at, Math.max(0, this.cases.length - 1));
    this.since = performance.now();
    this.live.textContent = tr("{name}. {count} to look at.", { name: this.nameOf(to), count: this.cases.length });
    this.paint();
  }

  /** Take the last decision back: as it was before, by events of its own, and open again. */
  undo() {
    const last = this.done.pop();
    if (!last) return;
    const { entry, place } = last;
    const { id, batch, why } = entry;
    const before = entry.label ?? UNLABEL;
    const ops = why === "reask" ? [{ id, to: UNLABEL, mark: "opinion", how: "reask" }] : [{ id, to: before, how: "undone" }];
    if (why !== "reask") for (const mark of entry.marks) ops.push({ id, mark, to: 1 });
    this.decided.delete(`${id} ${why}`);
    this.outbox.push(batch, ops);
    this.cases.splice(Math.min(place, this.cases.length), 0, entry);
    this.at = this.cases.indexOf(entry);
    this.live.textContent = tr("Taken back.");
    this.paint();
  }

  move(by) {
    if (!this.cases.length) return;
    this.go((this.at + by + this.cases.length) % this.cases.length);
  }

  go(place) {
    this.at = place;
    this.since = performance.now();
    this.paint();
    this.live.textContent = this.why.textContent;
  }

  askHistory() {
    if (this.current) this.note("history", { id: this.current.id });
  }

  onOutbox(acked, refused) {
    this.paintStatus();
    if (!this.data) return;
    for (const op of refused) {
      for (const [key] of this.decided) if (key.startsWith(`${op.id} `)) this.decided.delete(key);
    }
    if (this.outbox.denied.has(this.data.experiment) && !this.asked) {
      this.asked = true;
      this.note("refresh");
    }
    if (!acked.length && !refused.length) return;
    this.asked = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.outbox.ours().length || this.note("saved"), 1200);
  }

  // -- keys ------------------------------------------------------------------------------------------

  onKey(event) {
    const [target, ...path] = event.composedPath();
    if (!this.data || event.isComposing || isEditable(target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = target === this.root || path.includes(this.root);
    const nowhere = target === document.body || target === document.documentElement;
    if ((!inside && !nowhere) || document.querySelector('[role="dialog"]')) return;
    if (target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter")) return;
    if (event.key === "Tab") return;
    if (!event.repeat && this.runKey(event)) event.preventDefault();
    event.stopPropagation(); // Streamlit's own page keys
  }

  runKey(event) {
    const key = event.key.toLowerCase();
    const value = this.classOfKey(event);
    if (value !== undefined) return this.decide(value), true;
    const [name] = Object.entries(DECISION_KEYS).find(([, keys]) => keys.includes(key)) ?? [];
    const runs = {
      keep: () => this.keepLabel(), fix: () => this.fixLabel(), next: () => this.move(1), back: () => this.move(-1),
      exclude: () => this.current?.why !== "reask" && this.decide(EXCLUDE), undo: () => this.undo(),
    }; // prettier-ignore
    runs[name]?.();
    return Boolean(name);
  }
}

const { isOpen, openIds, layoutKeys, classOfKey } = classing;
Object.assign(ReviewCard.prototype, { isOpen, openIds, layoutKeys, classOfKey });

const cards = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let card = cards.get(parentElement);
  if (!card) cards.set(parentElement, (card = new ReviewCard(parentElement)));
  card.note = noteWriter(parentElement, setStateValue);
  card.update(data);
  return () => {
    card.destroy();
    cards.delete(parentElement);
  };
}
