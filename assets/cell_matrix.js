// A study's cells: a row a strategy, a column a seed. Cells change in place, so that nothing jumps.
const MARKS = { done: "✓", running: "▸", waiting: "·", paused: "‖", stopped: "■", failed: "✕" };

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function build(host, data) {
  host.setAttribute("aria-label", tr("Runs of the study"));
  const head = document.createElement("tr");
  head.append(element("th", ""), ...data.seeds.map((seed) => element("th", tr("seed {seed}", { seed }))));
  for (const th of head.children) th.scope = "col";
  const rows = data.rows.map(({ arm, color, cells }) => {
    const row = document.createElement("tr");
    const name = element("th");
    name.scope = "row";
    name.title = arm;
    const swatch = element("span", "", "swatch");
    swatch.style.background = color;
    name.append(swatch, arm);
    row.append(name);
    for (const _ of cells) {
      const cell = document.createElement("td");
      cell.append(element("span", "", "mark"), element("span", "", "words"), element("span", "", "bar"));
      cell.querySelector(".mark").ariaHidden = "true";
      row.append(cell);
    }
    return row;
  });
  const table = document.createElement("table");
  const caption = table.createTHead();
  caption.append(head);
  table.createTBody().append(...rows);
  table.setAttribute("aria-label", tr("Runs: a row a strategy, a column a seed"));
  host.replaceChildren(table);
}

export default function ({ parentElement, data }) {
  const host = parentElement.querySelector(".host");
  const shape = JSON.stringify([data.seeds, data.rows.map(({ arm, color }) => [arm, color])]);
  if (host.dataset.shape !== shape) {
    build(host, data);
    host.dataset.shape = shape;
  }
  const places = host.querySelectorAll("td");
  data.rows.flatMap(({ cells }) => cells).forEach((cell, place) => {
    const td = places[place];
    const words = cell.words;
    td.className = cell.state;
    td.title = cell.reason || words;
    td.querySelector(".mark").textContent = MARKS[cell.state];
    td.querySelector(".words").textContent = words;
    td.querySelector(".bar").style.width = `${Math.round(100 * cell.share)}%`;
  });
}
