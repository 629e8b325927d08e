/* Classes that change while one labels: what can be given, the key of each, and new ones by typing a name.
 *
 * A class that is made here has no id until the server knows it, so answers carry its name; the server makes it
 * with the first of them, once, whatever is sent again. Ids never change, so what was merged or retired keeps its place and is only not offered: a class is known by
 * its id everywhere, never by where it stands. `classing` becomes methods of LabelGrid, and those of
 * the keys of the second look too.
 */
const MOST_LETTERS = 60;

function folded(name) {
  return name.normalize("NFC").trim().toLowerCase();
}

const classing = {
  /** The data with the classes that are made here and that the server has not told of yet, at the end. */
  withClasses(data) {
    const experiment = experimentOf(data.batch);
    if (this.foundIn !== experiment) Object.assign(this, { foundIn: experiment, newNames: [] });
    this.settle(data, memoryOf(experiment));
    const waiting = this.outbox.queue.filter((op) => op.name && experimentOf(op.batch) === experiment);
    const names = data.classes.slice(0, data.told ?? data.classes.length);
    const told = names.length;
    for (const name of [...waiting.map((op) => op.name), ...this.newNames]) {
      if (!names.some((known) => folded(known) === folded(name))) names.push(name);
    }
    return { ...data, classes: names, told };
  },

  /** Names that the server knows by now become ids in what can be undone. */
  settle({ classes, told }, memory) {
    const ids = new Map(classes.slice(0, told).map((name, id) => [folded(name), id]));
    const fix = (change) => {
      const id = change.name === undefined ? undefined : ids.get(folded(change.name));
      if (id === undefined) return;
      change.to = id;
      delete change.name;
    };
    for (const { changes } of [...memory.done, ...memory.undone]) changes.forEach(({ from, to }) => (fix(from), fix(to)));
    memory.trail.forEach(fix);
    this.acked.forEach(fix);
    this.newNames = this.newNames.filter((name) => !ids.has(folded(name)));
  },

  idOf(name) {
    return this.data.classes.findIndex((known) => folded(known) === folded(name));
  },

  /** The class that an answer gives: by its name where the id was not known. */
  valueFor({ to, name }) {
    const id = name === undefined ? -1 : this.idOf(name);
    return this.countsAs(id === -1 ? to : id);
  },

  /** An answer with the name of its class, where only this tab knows that. */
  named(change) {
    const own = !change.mark && change.name === undefined && change.to >= this.data.told;
    return own ? { ...change, name: this.data.classes[change.to] } : change;
  },

  isOpen(id) {
    return !this.data.closed?.includes(id);
  },

  openIds() {
    return this.data.classes.map((_, id) => id).filter((id) => this.isOpen(id));
  },

  /** What a class counts as now, for answers that were given before it was merged. */
  countsAs(value) {
    return this.data.into?.[value] ?? value;
  },

  /** Classes were changed elsewhere: what is drawn here follows, with the labels as they count now. */
  followClasses() {
    this.rebuildPalette();
    this.trailMark = "";
    if (this.audit) this.closeAudit();
    this.mergeLabels();
    this.columns = 0; // lanes are drawn by guesses, which are folded anew
    this.setOrder();
    this.layout();
    this.filter({ keep: true });
    this.guideFollows();
  },

  /** Classes that were made here with answers that the server refuses are none. */
  dropRefused(refused) {
    const names = new Set(refused.map(({ name }) => name));
    if (!this.newNames.some((name) => names.has(name))) return;
    this.newNames = this.newNames.filter((name) => !names.has(name));
    this.data = this.withClasses(this.data);
    this.followClasses();
  },

  // -- new classes -----------------------------------------------------------------------------------

  buildOffer() {
    this.offer = button("offer", "", () => this.takeTyped(true), make("span"), keycap("↵"));
    this.offer.hidden = true;
    return this.offer;
  },

  /** For thumbs: the same button opens the field and leaves it. */
  toggleNewClass() {
    if (this.naming) this.closeFind();
    else this.openNewClass();
  },

  openNewClass() {
    if (this.refuseClosed()) return;
    this.naming = true;
    this.openFind();
    this.find.placeholder = tr("Name of the new class");
  },

  /** Why what is typed cannot be a name, or "". */
  nameRefusal(name) {
    if (!name) return tr("Type a name first.");
    if ([...name].length > MOST_LETTERS) return tr("A name has {count} letters at most.", { count: MOST_LETTERS });
    return /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028\u2029]/u.test(name) ? tr("The name holds a character that cannot be shown.") : "";
  },

  typed() {
    return this.find.value.normalize("NFC").trim();
  },

  /** The open class that is called just so. */
  typedId() {
    const id = this.idOf(this.typed());
    return id !== -1 && this.isOpen(id) ? id : -1;
  },

  /** Enter in the field: the class that fits, or where none does, or `fresh` says so, a new one. */
  takeTyped(fresh) {
    const hit = this.hits()[this.hit];
    const known = fresh ? this.typedId() : (hit ?? -1);
    if (known !== -1) this.answer(known);
    else {
      const refusal = this.nameRefusal(this.typed());
      if (refusal) return this.tell(refusal);
      this.answerNew(this.typed());
    }
    this.closeFind();
  },

  /** Give a class by its name; it is there at once, and the server makes it with this answer. */
  answerNew(name) {
    if (this.refuseClosed()) return;
    const known = this.idOf(name); // a retired one comes back by its name
    if (known === -1) {
      this.newNames.push(name);
      this.data = this.withClasses(this.data);
      this.rebuildPalette();
    }
    const id = this.idOf(name);
    this.answer(id, { name });
    const merged = this.countsAs(id) !== id;
    const key = this.keys[id] ? tr("Its key is {key}.", { key: this.keys[id] }) : tr("Type its name to give it.");
    if (known === -1) this.tell([tr("New class: {name}.", { name }), key].join(" "));
    else this.tell(merged ? tr("{name} counts as {other}.", { name, other: this.nameOf(this.countsAs(id)) }) : tr("{name} is a class again.", { name }));
  },

  paintOffer(finding) {
    const name = this.typed();
    this.offer.hidden = !finding || !name || this.typedId() !== -1 || this.data.readOnly;
    if (this.offer.hidden) return;
    const [words, cap] = this.offer.children;
    const id = this.idOf(name);
    const merged = id !== -1 && this.countsAs(id) !== id;
    const open = id === -1 ? tr("New class: {name}", { name }) : tr("Bring back: {name}", { name });
    const kind = merged ? tr("Counts as “{other}”: {name}", { name, other: this.nameOf(this.countsAs(id)) }) : open;
    words.textContent = this.nameRefusal(name) || kind;
    cap.textContent = this.naming || !this.hits().length ? "↵" : "⇧ ↵";
  },

  /** The server knows of a later change of the classes than this page: ask for the page anew until it is here,
   * as a run of the rail alone may take the place of one that was asked for. */
  noticeClasses() {
    clearTimeout(this.classTimer);
    const last = this.data ? (this.outbox.classes.get(experimentOf(this.data.batch)) ?? 0) : 0;
    if (!this.root.isConnected || last <= (this.data?.classesRev ?? 0)) return;
    this.note?.("refresh");
    this.classTimer = setTimeout(() => this.noticeClasses(), 2000);
  },

  // -- keys ------------------------------------------------------------------------------------------

  /** The key of each class. A single character is its own key where all that the data set began with are. */
  layoutKeys() {
    const open = this.openIds();
    const names = this.data.classes;
    const single = (id) => [...names[id]].length === 1;
    const first = open.filter((id) => id < (this.data.begun ?? names.length));
    this.ownKeys = (first.length ? first : open).every(single);
    this.keys = names.map(() => "");
    this.numbered = new Map(); // "1" or "⇧1" -> class
    const taken = new Set(this.ownKeys ? open.filter(single).map((id) => names[id]) : []);
    const digits = Array.from({ length: 10 }, (_, place) => String((place + 1) % 10));
    const free = [...digits.filter((key) => !taken.has(key)), ...digits.map((key) => `⇧${key}`)];
    for (const id of open) {
      if (this.ownKeys && single(id)) this.keys[id] = names[id];
      else if (free.length) {
        this.keys[id] = free.shift();
        this.numbered.set(this.keys[id], id);
      }
    }
  },

  /** The class that a key means: its own character, or its number in the row of digits. */
  classOfKey(event) {
    if (this.ownKeys && [...event.key].length === 1) {
      const own = (key) => this.openIds().find((id) => this.keys[id] === key && this.data.classes[id] === key);
      const id = own(event.key) ?? own(event.key.toUpperCase());
      if (id !== undefined) return id;
    }
    if (/^[0-9]$/.test(event.key)) return this.numbered.get(event.key);
    // Shift+1 is "!" on most keyboards; on those that need Shift for digits, a bare key is the digit.
    const digit = /^Digit([0-9])$/.exec(event.code);
    return digit ? this.numbered.get(`${event.shiftKey ? "⇧" : ""}${digit[1]}`) : undefined;
  },
};
