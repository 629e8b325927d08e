/* Several people at one query: who is here, and which images are this person's. `seating` becomes methods of
 * LabelGrid.
 *
 * The page says every few seconds that its person is here and learns what is theirs; alone, that is the whole
 * query and nothing looks different. What somebody else holds or has answered is not shown. An answer that
 * crosses with another's is kept by the server as a second opinion, and the image leaves the grid.
 */
const BROWSER = "askwell.browser";
const ALONE_MS = 12_000;
const TOGETHER_MS = 4_000;
const SHORT_MS = 120;

/** A name for this browser, so that two under one person's name can be told so. */
function browserName() {
  try {
    const known = localStorage.getItem(BROWSER);
    if (known) return known;
    const made = uuid();
    localStorage.setItem(BROWSER, made);
    return made;
  } catch {
    return (window[Symbol.for(BROWSER)] ??= uuid());
  }
}

function nameOfPerson(name) {
  return name || tr("me");
}

const seating = {
  buildPeople() {
    this.people = make("div", "people");
    this.people.setAttribute("role", "group");
    this.people.setAttribute("aria-label", tr("Who labels here"));
    this.people.hidden = true;
    return this.people;
  },

  listenSeat() {
    const { signal } = this.stop;
    this.lastActive = performance.now();
    const active = () => {
      const away = performance.now() - this.lastActive > 60_000;
      this.lastActive = performance.now();
      if (away) this.speakSoon(0);
    };
    for (const kind of ["keydown", "pointerdown", "pointermove"]) {
      addEventListener(kind, active, { signal, capture: true, passive: true });
    }
    addEventListener("pagehide", () => this.leaveSeat(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.speakSoon(0), { signal });
  },

  /** A new query, or another person at this browser: what the page knew of shares is void. */
  beginSeat() {
    this.own = new Set(this.data.own ?? []);
    this.share = this.data.seat?.share ?? null;
    this.ids = this.shownIds();
    this.speakSoon(400);
  },

  updateSeat() {
    for (const id of this.data.own ?? []) this.own.add(id);
    const who = this.data.person ?? "";
    const { seat, post } = this.data;
    const former = this.seatRight;
    this.seatRight = { url: seat?.url, token: post?.token };
    if (this.seatOf === who) return;
    this.seatOf = who;
    // What was on its way under the former name may have sat it down again.
    if (former?.url) this.sayHere({ leave: true }, former).catch(() => {});
    this.own = new Set(this.data.own ?? []);
    this.takeShare(this.data.seat?.share ?? null);
    this.speakSoon(0);
  },

  isMine(id) {
    const leased = this.share?.leased;
    return !leased || this.own.has(id) || leased.includes(id) || this.share.seconds.includes(id);
  },

  /** The images to show, in picking order; where nothing is left for this person, all of them. */
  shownIds() {
    const all = this.itemsOf(this.part).map((item) => item.id);
    if (!this.share?.leased) return all;
    const mine = all.filter((id) => this.isMine(id));
    return mine.length ? mine : all;
  },

  /** A second answer is given without seeing the first. */
  hideFirstAnswers() {
    for (const id of this.share?.seconds ?? []) if (!this.own.has(id)) this.labels.delete(id);
  },

  noteOwn(ops) {
    for (const { id, mark } of ops) if (!mark) this.own.add(id);
  },

  takeShare(share) {
    this.share = share;
    this.askForUnknown();
    if (!this.data || this.audit) return;
    const before = this.ids;
    this.hideFirstAnswers();
    const after = new Set(this.shownIds());
    if (before.length !== after.size || before.some((id) => !after.has(id))) this.showOther(before);
    this.paintPeople();
    this.refresh();
    if (share?.leased) this.partDone(); // another may have given the last answer
  },

  /** Somebody put images in front of the query: those that are this person's are not on this page yet. */
  askForUnknown() {
    const unknown = (this.share?.leased ?? []).filter((id) => !this.tiles.has(id)).join(" ");
    if (unknown && unknown !== this.unknown) this.note?.("refresh");
    this.unknown = unknown;
  },

  showOther(before) {
    const at = before[this.cursor];
    this.setSelection([]);
    this.tiles.get(at)?.tile.classList.remove("cursor");
    this.setOrder();
    this.columns = 0;
    this.layout();
    for (const id of this.ids) this.paintTile(id);
    const gone = !this.ids.includes(at);
    if (gone || this.labels.has(at)) this.moveTo(Math.max(0, this.nextOpen(gone ? -1 : this.cursor)));
    else this.moveTo(this.cursor);
  },

  /** Images that turned out to be another's: said in words, and gone from the grid. */
  giveWay(taken) {
    for (const { id } of taken) {
      this.own.delete(id);
      this.labels.delete(id);
    }
    const names = [...new Set(taken.map(({ by }) => nameOfPerson(by)))].reduce((some, name) => tr("{some} and {name}", { some, name }));
    this.tell(trN(
      "That image is {names}’s: your answer is kept beside as a second opinion.",
      "{n} of these images are {names}’s: your answer is kept beside as a second opinion.",
      taken.length,
      { names },
    )); // prettier-ignore
    this.speakSoon(0);
  },

  /** More is taken when half of what this person holds is answered. */
  speakIfShort() {
    const held = this.share?.leased;
    if (!held) return;
    const open = [...held, ...this.share.seconds].filter((id) => !this.labels.has(id)).length;
    if (open * 2 <= held.length + this.share.seconds.length) this.speakSoon(SHORT_MS);
  },

  speakSoon(delay) {
    if (this.speaking && delay >= this.speakingIn) return;
    clearTimeout(this.speaking);
    this.speakingIn = delay;
    this.speaking = setTimeout(() => this.speak(), delay);
  },

  async speak() {
    this.speaking = 0;
    const { data } = this;
    if (!data?.seat || data.readOnly || this.stop.signal.aborted) return;
    try {
      const response = await this.sayHere({ idle: Math.round(performance.now() - this.lastActive) });
      const share = response.ok ? await response.json() : null;
      if (share && this.data.batch === data.batch && this.data.person === data.person) this.takeShare(share);
    } catch {
      // The server is away: the outbox says so; leases run out by themselves.
    }
    if (!this.speaking && !this.stop.signal.aborted) {
      this.speakSoon((this.share?.people.length ?? 1) > 1 ? TOGETHER_MS : ALONE_MS);
    }
  },

  sayHere(words, { url, token } = { url: this.data.seat.url, token: this.data.post.token }) {
    const { seat, batch } = this.data;
    const pace = seat.pace ? this.rate() : null;
    return fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-AL-Token": token },
      body: JSON.stringify({ batch, browser: browserName(), pace, ...words }),
      credentials: "same-origin",
      keepalive: Boolean(words.leave),
      ...(words.leave ? {} : { signal: AbortSignal.timeout(10_000) }),
    });
  },

  leaveSeat() {
    clearTimeout(this.speaking);
    this.speaking = 0;
    if (this.data?.seat && !this.data.readOnly) this.sayHere({ leave: true }).catch(() => {});
  },

  // -- who is here -----------------------------------------------------------------------------------

  paintPeople() {
    const people = this.share?.people ?? [];
    const twin = people.some((person) => person.me && person.twin);
    this.people.hidden = people.length < 2 && !twin;
    this.root.classList.toggle("together", !this.people.hidden);
    const mark = JSON.stringify([people, this.share?.left, twin]);
    if (mark === this.peopleMark) return;
    this.peopleMark = mark;
    const chips = people.map((person) => this.badgeOf(person));
    if (twin) chips.push(this.twinWords());
    else if (this.share && !this.share.left) chips.push(make("span", "rest", tr("all answered")));
    else if (this.share?.leased) chips.push(make("span", "rest", tr("{count} open", { count: this.share.left })));
    this.people.replaceChildren(...chips);
  },

  twinWords() {
    const words = make("span", "twin", tr("Two windows, one name"));
    words.title = tr("Another browser labels under your name. Give yourselves names in the side bar: then nobody is asked what another is asked.");
    return words;
  },

  badgeOf({ name, answered, pace, me }) {
    const chip = make("span", me ? "person mine" : "person");
    const who = me ? tr("You") : nameOfPerson(name);
    chip.append(make("span", "lamp"), make("span", "who", who), make("b", "", String(answered)));
    if (pace) chip.append(make("span", "", tr("{pace}/min", { pace })));
    chip.title = me
      ? tr("You, as {name}: {answered} answered of this query", { name: nameOfPerson(name), answered })
      : tr("{name}: {answered} answered of this query", { name: who, answered });
    return chip;
  },
};
