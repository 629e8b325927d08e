/* What a person may choose, kept in this browser: how the program looks (assets/frame.js puts it into force)
 * and how the Label page behaves (assets/label_grid.js reads it). Python learns of one thing only, whether
 * guesses are hidden, by a cookie, as it decides whether they are sent at all.
 */
const LOOK = "askwell.look";
const GRID = "askwell.grid";
const BLIND = "askwell_blind";
const YEAR = 31_536_000;
const QUESTIONS = [
  {
    title: tr("Look"),
    fields: [
      { name: "theme", place: LOOK, label: tr("Theme"), choices: [["", tr("As the system")], ["Light", tr("Light")], ["Dark", tr("Dark")]],
        note: tr("The page is loaded again when it changes.") },
      { name: "motion", place: LOOK, label: tr("Motion"), choices: [["", tr("As the system")], ["reduce", tr("Reduced")]],
        note: tr("Reduced: nothing glides, fades or scrolls by itself.") },
    ],
  },
  {
    title: tr("Labeling"),
    fields: [
      { name: "chosen", place: GRID, label: tr("View to begin with"),
        choices: [["", tr("By the guesses")], ["grid", tr("Grid")], ["single", tr("Single")], ["lanes", tr("Lanes")]],
        note: tr("By the guesses: lanes where they have been right nearly always, else the grid.") },
      { name: "size", place: GRID, label: tr("Size of the tiles"),
        choices: [[0, tr("To fit")], [72, tr("Small")], [112, tr("Medium")], [176, tr("Large")], [272, tr("Huge")]],
        note: tr("To fit: as large as a whole query on one screen allows.") },
      { name: "advance", place: GRID, label: tr("After an answer"), choices: [[true, tr("Go to the next image")], [false, tr("Stay")]],
        standard: true, note: tr("Stay: arrows move on; good for looking at each answer.") },
      { name: "blind", place: BLIND, label: tr("The model's guesses at first"), choices: [["", tr("Shown")], ["1", tr("Hidden")]],
        note: tr("Hidden: they cannot sway you. The switch on the Label page changes it while the tab is open.") },
    ],
  },
]; // prettier-ignore

function node(tag, parent, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function stored(place) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

function store(place, changes) {
  localStorage.setItem(place, JSON.stringify({ ...stored(place), ...changes }));
}

function forgetThemes() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("stActiveTheme")) localStorage.removeItem(key);
}

function setBlind(value) {
  const life = value ? YEAR : 0;
  document.cookie = `${BLIND}=${value}; path=/; max-age=${life}; SameSite=Strict`;
}

function valueOf(field) {
  if (field.place === BLIND) return document.cookie.includes(`${BLIND}=1`) ? "1" : "";
  return stored(field.place)[field.name] ?? field.standard ?? field.choices[0][0];
}

class Form {
  constructor(root) {
    this.root = node("div", root, "settings");
    this.inputs = [];
    for (const { title, fields } of QUESTIONS) {
      const group = node("section", this.root);
      node("h2", group, "", title);
      for (const field of fields) this.build(group, field);
    }
    const foot = node("div", this.root, "foot");
    const reset = node("button", foot, "", tr("Reset everything to default"));
    reset.type = "button";
    reset.addEventListener("click", () => this.reset());
    this.words = node("p", foot, "words");
    this.words.setAttribute("role", "status");
    this.show();
  }

  build(group, field) {
    const set = node("fieldset", group);
    node("legend", set, "", field.label);
    const row = node("div", set, "choices");
    field.choices.forEach(([value, text], index) => {
      const label = node("label", row);
      const input = node("input", label);
      Object.assign(input, { type: "radio", name: field.name, value: String(index) });
      node("span", label, "", text);
      input.addEventListener("change", () => this.choose(field, value));
      this.inputs.push({ input, field, value });
    });
    node("p", set, "note", field.note);
  }

  show() {
    for (const { input, field, value } of this.inputs) input.checked = valueOf(field) === value;
    for (const field of new Set(this.inputs.map((each) => each.field))) {
      const own = this.inputs.filter((each) => each.field === field);
      if (!own.some(({ input }) => input.checked) && field.name === "size") this.nearest(own, valueOf(field));
    }
  }

  /** A size that was set by + and − on the Label page lies between two of these. */
  nearest(own, size) {
    const by = ({ value }) => Math.abs(value - size);
    own.slice(1).sort((one, two) => by(one) - by(two))[0].input.checked = true;
  }

  choose(field, value) {
    try {
      if (field.place === BLIND) setBlind(value);
      else store(field.place, { [field.name]: value });
    } catch {
      this.say(tr("This browser keeps nothing for this page, so the choice is lost when you leave."));
      return;
    }
    this.say(tr("Kept in this browser."));
    if (field.place === BLIND) this.send("blind", { on: value === "1", at: Date.now() });
    if (field.place !== LOOK) return;
    if (field.name === "theme" && !value) forgetThemes();
    dispatchEvent(new Event("askwell:look"));
    if (field.name === "theme") location.reload();
  }

  reset() {
    const themed = Boolean(stored(LOOK).theme);
    for (const key of Object.keys(localStorage)) {
      if (key === LOOK || key === GRID || key.startsWith("askwell.keys.")) localStorage.removeItem(key);
    }
    setBlind("");
    this.send("blind", { on: false, at: Date.now() });
    if (themed) forgetThemes();
    dispatchEvent(new Event("askwell:look"));
    dispatchEvent(new Event("askwell:reset"));
    this.show();
    this.say(tr("Everything is as it was at first, the keys too. Labels and sessions are untouched."));
    if (themed) location.reload();
  }

  say(text) {
    this.words.textContent = text;
  }
}

const forms = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  let form = forms.get(parentElement);
  if (!form) forms.set(parentElement, (form = new Form(parentElement)));
  form.send = setTriggerValue;
  return () => {
    form.root.remove();
    forms.delete(parentElement);
  };
}
