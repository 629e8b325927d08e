// A page of images to look through: a click opens one, its box selects it. Words are text only.
function add(parent, tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function tile(item, wall) {
  const figure = document.createElement("figure");
  figure.dataset.id = item.id;
  figure.setAttribute("role", "listitem");
  const open = add(figure, "button", "open");
  open.type = "button";
  open.setAttribute("aria-label", tr("Open image {id}: {file}", { id: item.id, file: item.alt }));
  open.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) pick(wall, item.id, event.shiftKey);
    else wall.tell("open", { id: item.id, at: Date.now() });
  });
  const image = add(open, "img", wall.data.pixelated ? "pixelated" : "");
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = "";
  image.addEventListener("error", () => open.classList.add("broken"), { once: true });
  image.src = item.src;
  if (wall.data.selectable) {
    const box = add(figure, "label", "box");
    const input = add(box, "input", "");
    input.type = "checkbox";
    input.setAttribute("aria-label", tr("Select image {id}", { id: item.id }));
    input.addEventListener("click", (event) => {
      event.preventDefault();
      pick(wall, item.id, event.shiftKey);
    });
  }
  if (item.mark) add(figure, "span", "said", item.mark).title = item.mark;
  const caption = add(figure, "figcaption", item.tone);
  add(caption, "span", "word", item.label).title = item.label;
  add(caption, "span", "small", item.small).title = item.alt;
  return figure;
}

// Select or let go of one; with Shift all from the last one to it.
function pick(wall, id, range) {
  const ids = wall.data.items.map((item) => item.id);
  const on = !wall.selected.has(id);
  const from = range && wall.last !== null ? ids.indexOf(wall.last) : ids.indexOf(id);
  const [low, high] = [from, ids.indexOf(id)].sort((a, b) => a - b);
  for (const each of ids.slice(low, high + 1)) on ? wall.selected.add(each) : wall.selected.delete(each);
  wall.last = id;
  show(wall);
  clearTimeout(wall.later);
  wall.later = setTimeout(() => wall.state("selected", [...wall.selected]), 150);
}

function show(wall) {
  for (const figure of wall.host.querySelectorAll("figure")) {
    const on = wall.selected.has(Number(figure.dataset.id));
    figure.classList.toggle("on", on);
    const box = figure.querySelector("input");
    if (box) box.checked = on;
  }
  wall.host.classList.toggle("some", wall.selected.size > 0);
}

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  const host = parentElement.querySelector(".host");
  const wall = (host.wall ??= { host, selected: new Set(), last: null, later: 0 });
  wall.tell = setTriggerValue;
  wall.state = setStateValue;
  const content = JSON.stringify(data);
  if (wall.drawn === content) return;
  const same = wall.data?.batch === data.batch;
  wall.drawn = content;
  wall.data = data;
  if (!same) {
    wall.selected = new Set(data.selected);
    wall.last = null;
  }
  const ids = new Set(data.items.map((item) => item.id));
  wall.selected = new Set([...wall.selected].filter((id) => ids.has(id)));
  const focused = host.getRootNode().activeElement?.closest("figure")?.dataset.id;
  host.style.setProperty("--cell", `${data.cell}px`);
  host.replaceChildren(...data.items.map((item) => tile(item, wall)));
  if (focused) host.querySelector(`figure[data-id="${focused}"] .open`)?.focus();
  show(wall);
}
