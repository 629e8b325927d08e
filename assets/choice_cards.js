// Cards of which one is chosen: a group of radio inputs, so that arrow keys, screen readers and forms know them.
// Every string is set as text. State: chosen (the id of a card).
const hosts = new WeakMap();

function node(tag, className, parent, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function drawCard(item, view, parent) {
  const card = node("label", "card", parent);
  const input = node("input", "", card);
  input.type = "radio";
  input.name = view.group;
  input.value = item.id;
  input.checked = item.id === view.chosen;
  input.disabled = Boolean(item.refused);
  card.classList.toggle("refused", input.disabled);
  const head = node("span", "head", card);
  node("span", "title", head, item.title);
  if (item.badge) node("span", `badge ${item.tone ?? ""}`, head, item.badge);
  if (item.text) node("span", "text", card, item.text);
  if (item.facts?.length) node("span", "facts", card, item.facts.join("  ·  "));
  if (item.refused) node("span", "reason", card, item.refused);
  input.addEventListener("change", () => {
    view.chosen = item.id;
    view.tell("chosen", { id: item.id, at: Date.now() });
  });
  const words = [item.title, item.id, item.text, item.search ?? ""];
  card.dataset.words = words.join(" ").toLowerCase();
}

function filter(view, root) {
  const wanted = (view.filter?.value ?? "").trim().toLowerCase();
  let shown = 0;
  for (const section of root.querySelectorAll("section")) {
    let any = false;
    for (const card of section.querySelectorAll(".card")) {
      const fits = card.dataset.words.includes(wanted);
      card.hidden = !fits;
      any ||= fits;
      shown += fits ? 1 : 0;
    }
    section.hidden = !any;
  }
  view.none.hidden = shown > 0;
}

function draw(view, root, data) {
  root.replaceChildren();
  root.setAttribute("role", "radiogroup");
  root.setAttribute("aria-label", data.label);
  root.classList.toggle("wide", Boolean(data.wide));
  view.filter = null;
  if (data.filter) {
    view.filter = node("input", "filter", root);
    view.filter.type = "search";
    view.filter.placeholder = data.filter;
    view.filter.setAttribute("aria-label", data.filter);
    view.filter.addEventListener("input", () => filter(view, root));
    // Streamlit's one-letter shortcuts would fire while a name is typed.
    view.filter.addEventListener("keydown", (event) => event.stopPropagation());
  }
  const sections = new Map();
  for (const item of data.items) {
    const name = item.group ?? "";
    if (!sections.has(name)) {
      const section = node("section", "", root);
      if (name) node("h4", "", section, name);
      sections.set(name, node("div", "cards", section));
    }
    drawCard(item, view, sections.get(name));
  }
  view.none = node("p", "none", root, tr("Nothing here has that name."));
  view.none.hidden = true;
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".host");
  let view = hosts.get(parentElement);
  if (!view) {
    view = { group: `choice-${Math.random().toString(36).slice(2)}`, drawn: "" };
    hosts.set(parentElement, view);
  }
  view.tell = setStateValue;
  view.chosen = data.chosen;
  const content = JSON.stringify([data.items, data.filter, data.label, data.wide]);
  if (content !== view.drawn) {
    view.drawn = content;
    draw(view, root, data);
  }
  for (const input of root.querySelectorAll("input[type=radio]")) input.checked = input.value === data.chosen;
}
