/* The key map: what each key does, shown on every button and in the sheet, changed there, kept in this browser.
 *
 * A key means one action. Digits and single-character class names are the classes' own; C and R are Streamlit's;
 * arrows, Enter, Escape, Tab and what goes with Ctrl are fixed. `keying` becomes methods of LabelGrid.
 */
const KEYS_STORED = "askwell.keys.";
const SECTIONS = {
  label: tr("Label"), mend: tr("Mend"), move: tr("Move and select"), see: tr("See"), end: tr("Go on"),
}; // prettier-ignore
const ACTIONS = [
  ["guess1", "label", tr("take the model's first guess"), ["q"], (grid) => grid.guess(0)],
  ["guess2", "label", tr("take its second guess"), ["w"], (grid) => grid.guess(1)],
  ["guess3", "label", tr("take its third guess"), ["e"], (grid) => grid.guess(2)],
  ["accept", "label", tr("take the first guess of what is selected; in lanes: the lane, but for what a click left out"),
    ["a"], (grid) => grid.accept()],
  ["bulk", "label", tr("confirm all sure guesses at once, after checking five"), ["shift+a"], (grid) => grid.openAudit()],
  ["find", "label", tr("find a class by typing"), ["/"], (grid) => grid.openFind()],
  ["newClass", "label", tr("a new class: type its name, Enter labels with it"), ["p"], (grid) => grid.openNewClass()],
  ["skip", "label", tr("skip: cannot tell, is not asked again"), [" "], (grid) => grid.answer(SKIP)],
  ["exclude", "label", tr("exclude: a bad image, leaves the pool"), ["x"], (grid) => grid.answer(EXCLUDE)],
  ["unsure", "label", tr("unsure: the class you give counts for less in training"), ["u"], (grid) => grid.toggleMark(UNSURE)],
  ["flag", "label", tr("flag: somebody should look again"), ["f"], (grid) => grid.toggleMark(FLAG)],
  ["note", "label", tr("write a note"), ["n"], (grid) => grid.openNote()],
  ["clear", "mend", tr("take the answer back"), ["delete"], (grid) => grid.answer(UNLABEL)],
  ["undo", "mend", tr("undo and step back, into earlier rounds too"), ["backspace"], (grid) => grid.undo()],
  ["left", "move", tr("left"), ["h"], (grid) => grid.step("ArrowLeft", false)],
  ["down", "move", tr("down"), ["j"], (grid) => grid.step("ArrowDown", false)],
  ["up", "move", tr("up"), ["k"], (grid) => grid.step("ArrowUp", false)],
  ["right", "move", tr("right"), ["l"], (grid) => grid.step("ArrowRight", false)],
  ["over", "move", tr("go over to the newest images, when they are ready"), ["v"], (grid) => grid.goOver()],
  ["mode", "see", tr("grid, one at a time, lanes"), ["g"], (grid) => grid.nextMode()],
  ["guide", "see", tr("the guidelines: what belongs to each class, with examples"), ["d"], (grid) => grid.toggleGuide()],
  ["pin", "label", tr("pin this image as a good example of its class; again: take it out"), ["t"], (grid) => grid.pin("good")],
  ["why", "see", tr("why this image was asked for"),  ["i"],
    (grid) => grid.note("inspect", { id: grid.ids[grid.cursor] })],
  ["zoom", "see", tr("hold to zoom"), ["z"], (grid) => grid.showZoom()],
  ["lens", "see", tr("brightness, contrast, smooth or pixelated"), ["b"], (grid) => grid.toggleLens()],
  ["larger", "see", tr("larger tiles"), ["+", "="], (grid) => grid.resize(1)],
  ["smaller", "see", tr("smaller tiles"), ["-"], (grid) => grid.resize(-1)],
  ["classes", "end", tr("the classes: add, rename, merge, retire"), ["o"], (grid) => grid.note("classes")],
  ["help", "end", tr("this sheet"), ["?"], (grid) => grid.toggleSheet()],
]; // prettier-ignore
const FIXED = {
  label: [[tr("class key"), tr("label the selection or this image, go to the next one without an answer")]],
  mend: [[tr("Ctrl Z"), tr("undo")], [tr("Ctrl ⇧ Z"), tr("redo")]],
  move: [
    ["← → ↑ ↓", tr("move; with Shift: extend the selection (also Shift click, Ctrl click, drag)")],
    [tr("Ctrl A"), tr("select all")],
    [tr("Esc"), tr("clear the selection, close")],
  ],
  see: [[tr("Enter"), tr("open this image, alone")]],
  end: [[tr("Ctrl ↵"), tr("save everything and train on what is labeled; the rest stays open")]],
}; // prettier-ignore
const STANDARD_KEYS = Object.fromEntries(ACTIONS.map(([name, , , keys]) => [name, keys]));
const RUNS = Object.fromEntries(ACTIONS.map(([name, , , , run]) => [name, run]));
const TITLES = Object.fromEntries(ACTIONS.map(([name, , title]) => [name, title]));

/** A key as the map names it: "x", "shift+x", "?", " ", "backspace". With Alt, the letter on the key itself. */
function keyName(event) {
  const key = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code[3] : event.key;
  const base = key.toLowerCase();
  return event.shiftKey && /^[a-z]$/.test(base) ? `shift+${base}` : base;
}

function keyText(name) {
  const words = { " ": tr("Space"), backspace: "⌫", delete: tr("Del") };
  return words[name] ?? name.replace("shift+", "⇧ ").toUpperCase();
}

/** Why a key cannot be bound, or "". */
function unbindable(name) {
  const bare = name.replace("shift+", "");
  if (bare === "c" || bare === "r") return tr("{key} belongs to the page: it clears caches or runs it again.", { key: keyText(name) });
  if (/^[0-9]$/.test(bare)) return tr("{key} belongs to a class.", { key: bare });
  if ([...bare].length === 1 || bare === "backspace" || bare === "delete") return "";
  return tr("{key} cannot be bound: take a letter, a sign, Space, Backspace or Delete.", { key: name });
}

/** A key map from a file: complete, known and free of conflicts, or an error that names what is wrong. */
function checkedKeys(keys) {
  const merged = { ...STANDARD_KEYS };
  const owners = new Map();
  if (keys === null || typeof keys !== "object") throw new Error(tr("The file holds no key map."));
  for (const [name, wanted] of Object.entries(keys)) {
    if (!Object.hasOwn(STANDARD_KEYS, name)) throw new Error(tr("There is no action {name}.", { name }));
    if (!Array.isArray(wanted) || wanted.some((key) => typeof key !== "string" || !key)) {
      throw new Error(tr("The keys of {name} are no list of keys.", { name }));
    }
    merged[name] = wanted;
  }
  for (const [name, bound] of Object.entries(merged)) {
    for (const key of bound) {
      const refusal = unbindable(key);
      if (refusal) throw new Error(refusal);
      if (owners.has(key)) throw new Error(tr("{key} would mean two things: {one} and {other}.", { key: keyText(key), one: owners.get(key), other: name }));
      owners.set(key, name);
    }
  }
  return merged;
}

const keying = {
  loadKeys() {
    this.keysPlace = KEYS_STORED + (this.data?.person ?? "");
    try {
      this.bound = checkedKeys(JSON.parse(localStorage.getItem(this.keysPlace) ?? localStorage.getItem(KEYS_STORED) ?? "{}"));
    } catch {
      this.bound = { ...STANDARD_KEYS };
    }
    this.indexKeys();
  },

  indexKeys() {
    this.actions = new Map(Object.entries(this.bound).flatMap(([name, keys]) => keys.map((key) => [key, name])));
    for (const { element, label, action } of this.keyed) {
      const key = keyText(this.keyOf(action));
      if (label) element.title = tr("{label} ({key})", { label, key });
      if (label) element.setAttribute("aria-label", element.title);
      const cap = element.querySelector("kbd");
      if (cap) cap.textContent = key;
    }
    this.find.placeholder = this.findWords();
    this.paintSheet();
  },

  findWords() {
    return tr("Find a class, or name a new one  {key}", { key: keyText(this.keyOf("find")) });
  },

  keyOf(action) {
    return this.bound[action][0] ?? "";
  },

  /** A button that shows the key of its action, whichever that is. */
  withKey(element, label, action) {
    this.keyed.push({ element, label, action });
    return element;
  },

  actionOf(event) {
    const name = keyName(event);
    return this.actions.get(name) ?? this.actions.get(name.replace("shift+", ""));
  },

  keepBound(keys) {
    this.bound = keys;
    try {
      localStorage.setItem(this.keysPlace, JSON.stringify(keys));
    } catch {
      // Without storage the map lasts as long as the page.
    }
    this.indexKeys();
    if (this.data) this.paint();
  },

  // -- the sheet ---------------------------------------------------------------------------------------

  buildSheet() {
    const sheet = make("div", "sheet");
    sheet.hidden = true;
    sheet.setAttribute("role", "dialog");
    sheet.setAttribute("aria-modal", "true");
    sheet.setAttribute("aria-label", tr("Keys"));
    const card = make("div", "card");
    const head = make("div", "head");
    this.sheetClose = button("quiet", tr("Close (Esc)"), () => this.toggleSheet(), icon("exclude"));
    head.append(make("h3", "", tr("Keys")), this.sheetClose);
    card.append(head, ...this.buildKeyMap());
    sheet.append(card);
    sheet.addEventListener("click", (event) => event.target === sheet && this.toggleSheet());
    return sheet;
  },

  /** The map, what is said about it, and its buttons: for the sheet, and for the pages that show it. */
  buildKeyMap() {
    this.sheetColumns = make("div", "columns");
    this.sheetWords = make("p", "words");
    this.sheetWords.setAttribute("role", "status");
    const file = make("input");
    Object.assign(file, { type: "file", accept: "application/json,.json", hidden: true });
    file.addEventListener("change", () => this.importKeys(file));
    const foot = make("div", "sheet-foot");
    foot.append(
      button("plain", "", () => this.keepBound({ ...STANDARD_KEYS }), make("span", "", tr("Standard keys"))),
      button("plain", "", () => file.click(), make("span", "", tr("Import"))),
      button("plain", "", () => this.exportKeys(), make("span", "", tr("Export"))),
      file,
    ); // prettier-ignore
    const alt = tr("A key that is a class's own name is that class; its command then needs Alt.");
    return [this.sheetColumns, make("p", "", alt), this.sheetWords, foot];
  },

  paintSheet() {
    const rowOf = (list, cap, text) => {
      const term = make("dt");
      term.append(cap);
      list.append(term, make("dd", "", text));
    };
    const sections = Object.entries(SECTIONS).map(([part, title]) => {
      const section = make("section");
      const list = make("dl");
      for (const [key, text] of FIXED[part]) rowOf(list, make("kbd", "", key), text);
      for (const [name, where, text] of ACTIONS) {
        if (where !== part) continue;
        const waiting = this.rebinding === name;
        const shown = waiting ? tr("press a key") : this.bound[name].map(keyText).join("  ") || "–";
        if (this.onlyShown) {
          rowOf(list, make("kbd", "", shown), text);
          continue;
        }
        const change = button("rebind", tr("Change the key of: {action}", { action: text }), () => this.rebind(name), make("kbd", "", shown));
        change.classList.toggle("waiting", waiting);
        change.dataset.action = name;
        rowOf(list, change, text);
      }
      section.append(make(this.onPage ? "h3" : "h4", "", title), list);
      return section;
    });
    this.sheetColumns.replaceChildren(...sections);
  },

  rebind(name) {
    this.rebinding = name;
    this.sheetWords.textContent = tr("Press the new key of “{action}”. Esc leaves it as it is.", { action: TITLES[name] });
    this.paintSheet();
  },

  /** Keys while the sheet is open: the new key of an action, or closing. */
  runSheetKey(event, command) {
    if (command) return false;
    if (this.rebinding) {
      if (!["Shift", "Alt"].includes(event.key)) this.takeKey(event);
    } else if (event.key === "Escape" || this.actionOf(event) === "help") this.toggleSheet();
    return true;
  },

  takeKey(event) {
    const name = this.rebinding;
    const key = keyName(event);
    this.rebinding = null;
    const owner = this.actions.get(key);
    const ofClass = this.ownKeys && this.keys.some((each) => each.toLowerCase() === key);
    if (event.key === "Escape") this.sheetWords.textContent = "";
    else if (unbindable(key)) this.sheetWords.textContent = unbindable(key);
    else if (owner && owner !== name) {
      this.sheetWords.textContent = tr("{key} is taken: “{action}”. Give that another key first.", { key: keyText(key), action: TITLES[owner] });
    } else {
      this.keepBound({ ...this.bound, [name]: [key] });
      const put = { key: keyText(key), action: TITLES[name] };
      this.sheetWords.textContent = ofClass
        ? tr("{key}: {action}. It is a class here too: there it needs Alt.", put)
        : tr("{key}: {action}.", put);
    }
    this.paintSheet();
    (this.sheetColumns.querySelector(`[data-action="${name}"]`) ?? this.sheetClose).focus();
  },

  exportKeys() {
    const text = JSON.stringify({ askwell_keys: 1, keys: this.bound }, null, 2);
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "askwell-keys.json";
    link.click();
    URL.revokeObjectURL(link.href);
  },

  async importKeys(file) {
    const [chosen] = file.files;
    if (!chosen) return;
    try {
      const read = JSON.parse(await chosen.text());
      if (read?.askwell_keys !== 1) throw new Error(tr("The file is no key map of this program."));
      this.keepBound(checkedKeys(read.keys));
      this.sheetWords.textContent = tr("Keys imported.");
    } catch (error) {
      const words = error instanceof SyntaxError ? tr("The file is no JSON.") : error.message;
      this.sheetWords.textContent = tr("{problem} Nothing was changed.", { problem: words });
    }
    file.value = "";
  },
};
