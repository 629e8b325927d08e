// The loop rail: four steps, the numbers beside them, and a thin bar while something runs.
// Called again at every change of data; the nodes are made once a host and only their text changes.
const hosts = new WeakMap();

function node(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function build(root) {
  const rail = node("div", "rail", root);
  const steps = node("ol", "steps", rail);
  steps.setAttribute("aria-label", tr("Where the loop stands"));
  const facts = node("div", "facts", rail);
  const round = node("span", "fact round", facts);
  const labels = node("span", "fact labels", facts);
  const accuracy = node("span", "fact accuracy", facts);
  const value = node("b", "", accuracy);
  const change = node("span", "change", accuracy);
  const note = node("span", "fact note", facts);
  note.setAttribute("role", "status");
  const bar = node("div", "bar", rail);
  const fill = node("div", "fill", bar);
  return { steps, round, labels, accuracy, value, change, note, bar, fill };
}

function drawSteps(list, steps) {
  while (list.children.length > steps.length) list.lastChild.remove();
  steps.forEach(([name, place], index) => {
    const item = list.children[index] ?? node("li", "", list);
    if (!item.firstChild) {
      node("span", "dot", item).setAttribute("aria-hidden", "true");
      node("span", "name", item);
    }
    item.className = place;
    item.lastChild.textContent = name;
    if (place === "current" || place === "trouble") item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}

export default function ({ parentElement, data }) {
  let view = hosts.get(parentElement);
  if (!view) {
    view = build(parentElement.querySelector(".host") ?? parentElement);
    hosts.set(parentElement, view);
  }
  drawSteps(view.steps, data.steps);
  view.round.textContent = data.round;
  view.labels.textContent = data.labels;
  view.value.textContent = data.accuracy;
  view.change.textContent = data.change ? tr("{change} points", { change: data.change.replace("-", "−") }) : "";
  view.change.classList.toggle("down", data.change.startsWith("-"));
  view.accuracy.hidden = !data.accuracy;
  if (view.note.textContent !== data.note) view.note.textContent = data.note;
  const running = data.progress !== null;
  view.bar.hidden = !running;
  view.bar.classList.toggle("unknown", running && data.progress <= 0);
  view.fill.style.width = running && data.progress > 0 ? `${100 * data.progress}%` : "";
}
