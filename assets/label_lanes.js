/* Lanes: one for each class that the model guesses, confirmed whole; and the audited bulk confirm.
 *
 * A lane is fixed by the first guess: an answer moves no tile. What is open in a lane is confirmed by A, but for
 * the images that a click left out. The bulk confirm takes all images above a threshold that earlier answers
 * justify, says how many of them will be wrong, and has five of them checked first. `lanes` becomes methods.
 */
const CHECKS = 5;

/** Expected number of wrong ones among `count`, and its 95 % interval: beta-binomial, Jeffreys prior.
 * al_core/results/suggestions.py says the same in Python; a test compares the two. */
function wrongOf(count, right, wrong) {
  const [a, b] = [wrong + 0.5, right + 0.5];
  const masses = [1];
  for (let k = 0; k < count; k++) {
    masses.push((masses[k] * (count - k) * (k + a)) / ((k + 1) * (count - k - 1 + b)));
    if (masses[k + 1] > 1e200) for (let i = 0; i <= k + 1; i++) masses[i] *= 1e-200;
  }
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const quantile = (share) => {
    let sum = 0;
    return Math.max(0, masses.findIndex((mass) => (sum += mass / total) >= share));
  };
  return { expected: Math.round((count * a) / (a + b)), low: quantile(0.025), high: quantile(0.975) };
}

const lanes = {
  mayLane() {
    return this.data.showGuesses && this.data.items.some((item) => item.guesses?.length);
  },

  laneOf(id) {
    return this.tiles.get(id).item.guesses?.[0]?.[0] ?? -1;
  },

  /** Display order: lane by lane, the surest first; elsewhere the order of picking. */
  setOrder() {
    const current = this.ids[this.cursor];
    const picked = this.shownIds();
    if (this.preferences.mode === "lanes") {
      const sure = (id) => this.tiles.get(id).item.guesses?.[0]?.[1] ?? 0;
      const lane = (id) => (this.laneOf(id) < 0 ? Infinity : this.laneOf(id));
      picked.sort((one, two) => lane(one) - lane(two) || sure(two) - sure(one));
    }
    this.ids = picked;
    this.ids.forEach((id, index) => (this.tiles.get(id).tile.dataset.index = index));
    this.cursor = Math.max(0, this.ids.indexOf(current));
    this.anchor = this.cursor;
  },

  arrangeLanes() {
    this.laneParts = new Map();
    const rows = [...this.groupLanes()].map(([lane, ids]) => {
      const row = make("div", "lane");
      row.setAttribute("role", "row");
      row.style.setProperty("--colour", lane < 0 ? "transparent" : colourOf(lane));
      const name = lane < 0 ? tr("No guess") : this.data.classes[lane];
      const left = make("span", "left");
      const confirm = button("confirm", tr("Confirm this lane as {name}", { name }), () => this.confirmLane(lane),
        icon("check"), make("span", "", tr("Confirm")), keycap(keyText(this.keyOf("accept")))); // prettier-ignore
      confirm.hidden = lane < 0;
      const head = make("div", "lane-head");
      head.setAttribute("role", "rowheader");
      const title = make("span", "name", name);
      title.title = name;
      head.append(make("span", "swatch"), title, left, confirm);
      const tiles = make("div", "lane-tiles");
      tiles.append(...ids.map((id) => this.tiles.get(id).tile));
      row.append(head, tiles);
      this.laneParts.set(lane, { ids, left, confirm });
      return row;
    });
    this.grid.replaceChildren(...rows);
  },

  groupLanes() {
    const groups = new Map();
    for (const id of this.ids) {
      const lane = this.laneOf(id);
      if (groups.has(lane)) groups.get(lane).push(id);
      else groups.set(lane, [id]);
    }
    return groups;
  },

  toConfirm(lane) {
    return this.laneParts.get(lane).ids.filter((id) => !this.labels.has(id) && !this.leftOut.has(id));
  },

  leaveOut(id) {
    if (this.labels.has(id)) return;
    if (!this.leftOut.delete(id)) this.leftOut.add(id);
    this.paintTile(id);
    this.say(this.leftOut.has(id) ? tr("Left out of its lane.") : tr("Back in its lane."));
  },

  confirmLane(lane = this.laneOf(this.ids[this.cursor])) {
    if (this.refuseClosed() || lane < 0) return;
    const ids = this.toConfirm(lane);
    if (!ids.length) return this.toNextLane();
    this.carryOut(ids.map((id) => ({ id, from: { to: UNLABEL }, to: { to: lane, how: "lane" } })));
    this.clearSelection();
    const last = this.ids.indexOf(ids[ids.length - 1]);
    const next = this.nextOpen(last);
    this.moveTo(next === -1 ? last : next);
    this.say(trN("{n} images: {name}. {left} left.", "{n} images: {name}. {left} left.", ids.length, { name: this.data.classes[lane], left: this.left() }));
    this.partDone();
  },

  toNextLane() {
    const index = this.ids.findIndex((id) => !this.labels.has(id) && !this.leftOut.has(id));
    if (index !== -1) this.select(index);
    this.say(index === -1 ? tr("Nothing is left to confirm.") : tr("Nothing was left to confirm there: the next lane."));
  },

  /** A: the lane, or elsewhere the first guess of what is chosen. */
  accept() {
    if (this.preferences.mode === "lanes" && !this.selection.size) return this.confirmLane();
    if (this.refuseClosed() || !this.mayLane()) return;
    const ids = this.chosen().filter((id) => this.laneOf(id) >= 0);
    const changes = ids
      .map((id) => ({ id, from: { to: this.labels.get(id) ?? UNLABEL }, to: { to: this.laneOf(id) } }))
      .filter(({ from, to }) => from.to !== to.to);
    this.carryOut(changes);
    this.clearSelection();
    const last = ids.length ? this.ids.indexOf(ids[ids.length - 1]) : this.cursor;
    const next = this.nextOpen(last);
    this.moveTo(next === -1 ? last : next);
    this.say(trN("{n} guess taken. {left} left.", "{n} guesses taken. {left} left.", ids.length, { left: this.left() }));
    this.partDone();
  },

  paintLanes() {
    if (this.preferences.mode === "lanes") {
      for (const [lane, { ids, left, confirm }] of this.laneParts) {
        const open = this.toConfirm(lane).length;
        left.textContent = `${ids.length - ids.filter((id) => !this.labels.has(id)).length} / ${ids.length}`;
        confirm.disabled = !open;
      }
    }
    const bulk = this.sureIds().length;
    const { trust } = this.data;
    this.bulkButton.hidden = !trust || !this.mayLane() || this.data.readOnly;
    if (this.bulkButton.hidden) return;
    this.bulkButton.disabled = !bulk;
    this.bulkText.textContent = bulk ? trN("Confirm {n} sure", "Confirm {n} sure", bulk) : tr("None is sure");
    this.bulkButton.title = trust.threshold === null
      ? tr("Your answers do not yet justify a bulk confirm: {right} of {answered} guesses were right. Some threshold has to hold 20 answers and at most 1 in 20 wrong.", { right: trust.right, answered: trust.answered })
      : tr("All open images whose guess has {share} or more; five are checked first.", { share: percent(trust.threshold) });
  },

  // -- audited bulk confirm ----------------------------------------------------------------------------

  sureIds() {
    const threshold = this.data.trust?.threshold;
    if (threshold === null || threshold === undefined || !this.data.showGuesses) return [];
    return this.ids.filter((id) => {
      const guess = this.tiles.get(id).item.guesses?.[0];
      return guess && guess[1] >= threshold && !this.labels.has(id) && !this.leftOut.has(id);
    });
  },

  openAudit() {
    const ids = this.sureIds();
    if (this.refuseClosed() || !ids.length || this.audit) return;
    const shuffled = ids.map((id) => [Math.random(), id]).sort((one, two) => one[0] - two[0]);
    const checks = shuffled.slice(0, CHECKS).map(([, id]) => id);
    this.audit = { ids, checks, given: new Map(), group: uuid() };
    this.auditSheet = make("div", "sheet audit");
    this.auditSheet.setAttribute("role", "dialog");
    this.auditSheet.setAttribute("aria-modal", "true");
    this.auditSheet.setAttribute("aria-label", tr("Check before confirming"));
    this.root.append(this.auditSheet);
    this.paintAudit();
  },

  closeAudit() {
    this.auditSheet?.remove();
    this.audit = null;
    this.grabFocus();
  },

  found() {
    return [...this.audit.given].filter(([id, to]) => to !== this.laneOf(id)).length;
  },

  /** What is to be expected of those that nobody looked at, in the light of the checks so far. */
  estimate() {
    const { ids, given } = this.audit;
    const { above, wrong } = this.data.trust;
    const found = this.found();
    return wrongOf(ids.length - given.size, above - wrong + given.size - found, wrong + found);
  },

  paintAudit() {
    const { ids, checks, given } = this.audit;
    const { above, wrong, threshold } = this.data.trust;
    const rest = ids.length - given.size;
    const { expected, low, high } = this.estimate();
    const card = make("div", "card");
    const words = make("p", "estimate");
    const most = make("b", "", tr("≈ {expected} wrong of {rest}", { expected, rest }));
    words.append(...among(tr("{estimate} (95 %: {low}–{high})", { low, high }), { estimate: most }));
    const basis = tr("By your answers to guesses of {share} and more: {wrong} of {above} were wrong.", { share: percent(threshold), wrong, above });
    const title = trN("Confirm {n} guesses at once", "Confirm {n} guesses at once", ids.length);
    card.append(make("h3", "", title), words, make("p", "", basis));
    const id = checks[given.size];
    if (id !== undefined) card.append(this.auditQuestion(id, given.size + 1, checks.length));
    else {
      const found = this.found();
      const checked = given.size;
      const verdict = found ? tr("You checked {checked}: {found} wrong.", { checked, found }) : tr("You checked {checked}: none wrong.", { checked });
      card.append(make("p", found ? "warn" : "", verdict));
    }
    const ready = id === undefined;
    const confirm = button("train", "", () => this.confirmAudit(), icon("check"),
      make("span", "", ready ? tr("Confirm {count}", { count: ids.length }) : tr("{count} left to check", { count: checks.length - given.size })), keycap("↵")); // prettier-ignore
    confirm.disabled = !ready;
    const foot = make("div", "audit-foot");
    foot.append(button("plain", tr("Cancel (Esc)"), () => this.closeAudit(), make("span", "", tr("Cancel"))), confirm);
    card.append(foot);
    this.auditSheet.replaceChildren(card);
    (ready ? confirm : this.auditYes).focus();
  },

  auditQuestion(id, number, of) {
    const { item, img } = this.tiles.get(id);
    const lane = this.laneOf(id);
    const part = make("div", "check");
    const picture = make("img");
    picture.alt = item.alt;
    picture.src = item.full ?? img.src;
    const frame = make("div", "frame");
    frame.append(picture);
    picture.onload = () => this.fit(picture, 200);
    const name = this.data.classes[lane];
    this.auditYes = button("class", tr("Yes, {name}", { name }), () => this.giveAudit(lane), keycap(keyText(this.keyOf("accept"))),
      make("span", "swatch"), make("span", "name", tr("Yes, {name}", { name }))); // prettier-ignore
    this.auditYes.style.setProperty("--colour", colourOf(lane));
    const question = make("div", "question");
    question.append(
      make("span", "", tr("Check {number} of {of}, picked at random", { number, of })), this.auditYes,
      make("span", "", tr("Or press the key of the right class; / finds it by name.")),
    ); // prettier-ignore
    const others = make("select", "find");
    others.setAttribute("aria-label", tr("The right class"));
    const first = make("option", "", tr("No, it is …"));
    first.value = "";
    others.append(first, ...this.openIds().map((index) => {
      const option = make("option", "", this.data.classes[index]);
      option.value = index;
      return option;
    })); // prettier-ignore
    others.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.closeAudit();
    });
    others.addEventListener("change", () => others.value !== "" && this.giveAudit(Number(others.value)));
    this.auditOthers = others;
    question.append(others);
    part.append(frame, question);
    return part;
  },

  giveAudit(to) {
    this.audit.given.set(this.audit.checks[this.audit.given.size], to);
    this.paintAudit();
  },

  runAuditKey(event) {
    if (event.key === "Escape") this.closeAudit();
    else if (this.audit.given.size >= this.audit.checks.length) {
      if (event.key === "Enter") this.confirmAudit();
    } else if (event.repeat) return true;
    else if (this.actionOf(event) === "find") this.auditOthers.focus();
    else {
      const to = this.classOfKey(event);
      const yes = this.actionOf(event) === "accept" || event.key === "Enter";
      if (to !== undefined) this.giveAudit(to);
      else if (yes) this.giveAudit(this.laneOf(this.audit.checks[this.audit.given.size]));
    }
    return true;
  },

  /** All of it is one step: one undo takes it back. Each answer carries what was promised. */
  confirmAudit() {
    const { ids, given, group } = this.audit;
    const bulk = { group, of: ids.length, checked: given.size, found: this.found(), ...this.estimate() };
    const changes = ids.filter((id) => !this.labels.has(id)).map((id) => ({
      id,
      from: { to: UNLABEL },
      to: { to: given.get(id) ?? this.laneOf(id), how: given.has(id) ? "checked" : "bulk", bulk },
    }));
    this.closeAudit();
    this.carryOut(changes);
    const next = this.nextOpen(this.cursor);
    this.moveTo(next === -1 ? this.cursor : next);
    this.say(trN("{n} guesses confirmed. {left} left.", "{n} guesses confirmed. {left} left.", changes.length, { left: this.left() }));
    this.partDone();
  },
};
