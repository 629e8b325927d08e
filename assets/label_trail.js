/* What was done last: the strip of recent answers, the pace, and an undo that reaches into earlier rounds.
 *
 * It belongs to the tab and outlives the grid, which Streamlit unmounts while a round trains; a reload finds it
 * in sessionStorage. `trailing` becomes methods of LabelGrid.
 */
const MEMORY = Symbol.for("askwell.memory");
const REMEMBERED = "askwell.memory.";
const TRAIL = 10;
const MOST_UNDO = 300;
const IDLE_MS = 15_000; // a longer pause is no labelling
const BUCKET_MS = 10_000;
const BUCKETS = 18;

/** What this tab did in an experiment: {done, undone, trail, times}. */
function memoryOf(experiment) {
  const all = (window[MEMORY] ??= new Map());
  if (!all.has(experiment)) all.set(experiment, { done: [], undone: [], trail: [], times: [], ...stored(experiment) });
  return all.get(experiment);
}

function stored(experiment) {
  try {
    return JSON.parse(sessionStorage.getItem(REMEMBERED + experiment) ?? "{}");
  } catch {
    return {};
  }
}

const trailing = {
  buildTrail() {
    this.trail = make("div", "trail");
    this.trail.setAttribute("role", "group");
    this.trail.setAttribute("aria-label", tr("Last answers"));
    this.slots = make("div", "slots");
    this.notice = make("span", "notice");
    this.pace = make("span", "pace");
    this.trail.append(this.slots, this.notice, this.buildPeople(), this.pace);
    return this.trail;
  },

  remember() {
    const { done, undone, trail, times } = this.memory;
    try {
      const kept = { done: done.slice(-MOST_UNDO), undone: undone.slice(-MOST_UNDO), trail, times };
      sessionStorage.setItem(REMEMBERED + experimentOf(this.data.batch), JSON.stringify(kept));
    } catch {
      // Without storage it lasts as long as the page.
    }
  },

  /** Keep the last answers and their times; marks are no answers. */
  leaveTrail(batch, ops) {
    const answers = ops.filter((op) => !op.mark);
    const { trail, times } = this.memory;
    for (const { id, to, name } of answers.slice(-TRAIL)) {
      const before = trail.findIndex((entry) => entry.batch === batch && entry.id === id);
      const known = before === -1 ? {} : trail.splice(before, 1)[0];
      if (to === UNLABEL) continue;
      const item = batch === this.data.batch ? this.tiles.get(id)?.item : undefined;
      trail.push({ ...known, batch, id, to, name, ...(item ? { src: item.src, alt: item.alt } : {}) });
    }
    trail.splice(0, Math.max(0, trail.length - TRAIL));
    const now = Date.now();
    for (const { to } of answers) if (to !== UNLABEL) times.push(now);
    times.splice(0, times.findIndex((at) => at > now - BUCKETS * BUCKET_MS));
  },

  /** An undo or redo of what was answered in an earlier round: sent to that round, as a correction. */
  replayEarlier(batch, ops, again) {
    this.outbox.push(batch, ops.map((op) => ({ ...op, ms: 0 })));
    this.leaveTrail(batch, ops);
    const answers = ops.filter((op) => !op.mark).length || ops.length;
    const text = again
      ? trN("Done again: {n} answer of an earlier round.", "Done again: {n} answers of an earlier round.", answers)
      : trN("Undone: {n} answer of an earlier round.", "Undone: {n} answers of an earlier round.", answers);
    this.tell(text);
    this.refresh();
  },

  /** Words beside the strip for a few seconds, and for screen readers. */
  tell(text) {
    this.notice.textContent = text;
    this.say(text);
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => (this.notice.textContent = ""), 6000);
  },

  paintTrail() {
    const { trail } = this.memory;
    const mark = JSON.stringify([this.data.batch, trail.map(({ batch, id, to }) => [batch, id, to])]);
    if (mark !== this.trailMark) {
      this.trailMark = mark;
      const empty = Array.from({ length: TRAIL - trail.length }, () => make("span", "slot"));
      this.slots.replaceChildren(...trail.map((entry) => this.slotOf(entry)), ...empty);
    }
    this.paintPace();
  },

  slotOf(entry) {
    const here = entry.batch === this.data.batch;
    const value = this.valueFor(entry);
    const name = this.nameOf(value);
    const picture = make("img");
    picture.src = entry.src ?? "";
    picture.alt = "";
    picture.draggable = false;
    const put = { image: entry.alt ?? entry.id, name };
    const label = here ? tr("Back to {image}: {name}", put) : tr("{image}: {name}, in an earlier round; undo takes it back", put);
    const slot = button("slot", label, () => this.backTo(entry), picture, make("span", "bar-under"));
    slot.classList.toggle("earlier", !here);
    slot.style.setProperty("--colour", value >= 0 ? colourOf(value) : "var(--muted)");
    return slot;
  },

  backTo(entry) {
    const here = entry.batch === this.data.batch;
    if (here) this.showPart(this.partOf(entry.id));
    const index = here ? this.ids.indexOf(entry.id) : -1;
    if (index === -1) return this.tell(tr("Answered in an earlier round: undo (⌫) goes back to it step by step."));
    this.select(index);
    this.tiles.get(entry.id).tile.focus({ preventScroll: true });
  },

  /** Labels a minute while labelling, 0 before it is known. */
  rate() {
    const { times } = this.memory;
    if (times.length < 5) return 0;
    let active = 0;
    for (let i = 1; i < times.length; i++) active += Math.min(IDLE_MS, times[i] - times[i - 1]);
    return active > 1000 ? Math.round((60_000 * (times.length - 1)) / active) : 0;
  },

  /** The same, shown with what each ten seconds of the last three minutes brought. */
  paintPace() {
    const now = Date.now();
    if (now - (this.pacedAt ?? 0) < 500) return;
    this.pacedAt = now;
    const { times } = this.memory;
    const rate = this.rate();
    if (!rate) return this.pace.replaceChildren();
    const counts = new Array(BUCKETS).fill(0);
    for (const at of times) counts[Math.min(BUCKETS - 1, Math.floor((now - at) / BUCKET_MS))]++;
    const most = Math.max(...counts);
    const points = counts.reverse().map((count, index) => `${index * 4},${15 - (13 * count) / most}`);
    const words = among(tr("{rate} labels / min"), { rate: make("b", "", String(rate)) });
    this.pace.replaceChildren(spark(points.join(" ")), ...words);
  },
};

function spark(points) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${BUCKETS * 4 - 4} 16`);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("spark");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", points);
  svg.append(line);
  return svg;
}
