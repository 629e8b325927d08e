/* Strategies at work on points of a plane, one panel each, round by round. The rounds were computed on the
 * server by the strategies' own functions (al_core/query/toy.py); here they are only drawn.
 */
const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [360, 240];
const COLOURS = ["#3a78b5", "#c8741a", "#8a5fc0"];
const SHAPES = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (x, y, r) => `M${x} ${y - 1.25 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`,
];
const PACE = 1100; // milliseconds a round
const hosts = new WeakMap();

function node(tag, parent, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function drawn(tag, parent, values) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

class Toy {
  constructor(root) {
    this.root = node("div", root, "toy");
    this.panels = node("div", this.root, "panels");
    const bar = node("div", this.root, "bar");
    this.back = this.button(bar, tr("Back"), () => this.show(this.round - 1, true));
    this.playing = 0;
    this.playButton = this.button(bar, tr("Play"), () => (this.playing ? this.pause() : this.play()));
    this.step = this.button(bar, tr("Step"), () => this.show(this.round + 1, true));
    this.slider = node("input", bar);
    Object.assign(this.slider, { type: "range", min: 0, step: 1 });
    this.slider.setAttribute("aria-label", tr("Round"));
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value), true));
    this.place = node("span", bar, "place");
    this.said = node("div", this.root, "said");
    this.said.setAttribute("role", "status");
    this.legend = node("ul", this.root, "legend");
    this.buildLegend();
  }

  button(bar, text, onClick) {
    const made = node("button", bar, "", text);
    made.type = "button";
    made.addEventListener("click", onClick);
    return made;
  }

  buildLegend() {
    const row = (text, draw) => {
      const item = node("li", this.legend);
      const svg = drawn("svg", item, { viewBox: "0 0 16 16", "aria-hidden": "true" });
      draw(svg);
      node("span", item, "", text);
    };
    row(tr("not labeled"), (svg) => drawn("circle", svg, { cx: 8, cy: 8, r: 3, class: "waiting" }));
    SHAPES.forEach((shape, c) => row(tr("labeled, class {number}", { number: c + 1 }), (svg) =>
      drawn("path", svg, { d: shape(8, 8, 4.5), fill: COLOURS[c], class: "point labeled" }))); // prettier-ignore
    row(tr("asked next"), (svg) => drawn("circle", svg, { cx: 8, cy: 8, r: 6, class: "asked" }));
  }

  update(data) {
    const stamp = JSON.stringify([data.arms.map((arm) => arm.name), data.seed]);
    if (stamp === this.stamp) return;
    this.pause();
    Object.assign(this, { stamp, data });
    this.slider.max = data.arms[0].frames.length - 1;
    this.panels.replaceChildren();
    this.views = data.arms.map((arm, index) => this.buildPanel(arm, data.titles[index]));
    this.show(0);
  }

  buildPanel(arm, title) {
    const figure = node("figure", this.panels, "panel");
    const svg = drawn("svg", figure, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    const map = drawn("g", svg, { class: "map" });
    const points = drawn("g", svg, {});
    const caption = node("figcaption", figure);
    node("b", caption, "", title);
    return { arm, title, svg, map, points, words: node("span", caption) };
  }

  show(round, asked = false) {
    const last = this.data.arms[0].frames.length - 1;
    if (asked) this.pause();
    this.round = Math.max(0, Math.min(last, round));
    for (const view of this.views) this.paint(view);
    this.slider.value = this.round;
    this.back.disabled = this.round === 0;
    this.step.disabled = this.round === last;
    const labels = this.data.arms[0].frames[this.round].labeled.length;
    this.place.textContent = trN("Round {round}, {n} labels", "Round {round}, {n} labels", labels, { round: this.round });
    this.slider.setAttribute("aria-valuetext", this.place.textContent);
    if (!this.playing) {
      const each = this.views.map(({ arm, title }) => `${title} ${this.percent(arm.frames[this.round])}`);
      this.said.textContent = `${this.place.textContent}: ${each.join(", ")}.`;
    }
  }

  percent(frame) {
    return tr("{share} % right", { share: Math.round(100 * frame.accuracy) });
  }

  paint({ arm, title, svg, map, points, words }) {
    const frame = arm.frames[this.round];
    const [columns, rows] = this.data.grid;
    const [w, h] = [WIDTH / columns, HEIGHT / rows];
    const cells = [];
    for (let cell = 0; cell < columns * rows; cell++) {
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      const shade = 0.06 + 0.034 * Number(frame.sureness[cell]);
      cells.push(drawn("rect", null, {
        x: column * w, y: HEIGHT - (row + 1) * h, width: w, height: h,
        fill: COLOURS[Number(frame.believed[cell])], "fill-opacity": shade,
      })); // prettier-ignore
    }
    map.replaceChildren(...cells);
    const labeled = new Set(frame.labeled);
    const asked = new Set(frame.asked);
    const marks = this.data.points.flatMap(([x, y], index) => {
      const [px, py] = [x * WIDTH, HEIGHT - y * HEIGHT];
      const c = this.data.classes[index];
      const mark = labeled.has(index)
        ? drawn("path", null, { d: SHAPES[c](px, py, 4.2), fill: COLOURS[c], class: "point labeled" })
        : drawn("circle", null, { cx: px, cy: py, r: 2.4, class: "waiting" });
      return asked.has(index) ? [mark, drawn("circle", null, { cx: px, cy: py, r: 7, class: "asked" })] : [mark];
    });
    points.replaceChildren(...marks);
    words.textContent = this.percent(frame);
    svg.setAttribute("aria-label", trN("{title}: {n} points labeled, {right}", "{title}: {n} points labeled, {right}", labeled.size, { title, right: this.percent(frame) }));
  }

  play() {
    const last = this.data.arms[0].frames.length - 1;
    this.playButton.textContent = tr("Pause");
    this.playing = setInterval(() => {
      this.show(this.round + 1);
      if (this.round === last) this.pause();
    }, PACE);
    this.show(this.round === last ? 0 : this.round + 1);
  }

  pause() {
    if (!this.playing) return;
    clearInterval(this.playing);
    this.playing = 0;
    this.playButton.textContent = tr("Play");
    this.show(this.round);
  }
}

export default function ({ data, parentElement }) {
  let toy = hosts.get(parentElement);
  if (!toy) hosts.set(parentElement, (toy = new Toy(parentElement.querySelector(".host") ?? parentElement)));
  toy.update(data);
  return () => {
    toy.pause();
    hosts.delete(parentElement);
  };
}
