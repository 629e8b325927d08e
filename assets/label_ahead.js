/* Labelling on while a round trains: the images ahead, and going over to the next query when it is there.
 *
 * A query has two parts, shown one after the other: the asked images and those ahead, which the same model
 * picked. Those ahead come when the asked ones are answered and a round trains; answers to them train the round
 * after. When the next query arrives while somebody labels, nothing is pulled away: it waits until the part is
 * done, or until a key asks for it. `goingAhead` becomes methods of LabelGrid.
 */
const NEAR_END = 6; // open images at which the pictures of the next part are fetched
const LOOK_MS = 4000; // between two looks whether the training is done

const goingAhead = {
  buildAhead() {
    this.aheadWords = make("span", "ahead-words");
    this.overText = make("span");
    this.overButton = button("over", "", () => this.goOver(), this.overText, keycap(""));
    this.withKey(this.overButton, tr("Go over to the newest images"), "over");
    this.aheadBar = make("div", "ahead-bar");
    this.aheadBar.setAttribute("role", "note");
    this.aheadBar.append(icon("ahead"), this.aheadWords, this.overButton);
    this.aheadBar.hidden = true;
    return this.aheadBar;
  },

  buildAuto() {
    this.auto = make("input");
    this.auto.type = "checkbox";
    this.auto.checked = Boolean(this.preferences.auto);
    this.auto.addEventListener("change", () => {
      this.prefer({ auto: this.auto.checked });
      this.say(this.auto.checked ? tr("Each batch trains as its last answer is given.") : tr("Control Enter trains."));
      if (this.auto.checked && !this.left()) this.partDone();
    });
    this.keepKeys(this.auto);
    const row = make("label", "auto");
    row.title = tr("As the last answer of a batch is given, training begins; the next images are there at once.");
    row.append(this.auto, make("span", "", tr("Train by itself, without waiting")));
    return row;
  },

  // -- parts -----------------------------------------------------------------------------------------

  itemsOf(part) {
    const { items, asked = items.length } = this.data;
    return part === "ahead" ? items.slice(asked) : items.slice(0, asked);
  },

  partOf(id) {
    return this.itemsOf("ahead").some((item) => item.id === id) ? "ahead" : "asked";
  },

  /** The part to begin with: the asked images, or those ahead where all of these are answered and it trains. */
  firstPart() {
    const open = this.itemsOf("asked").some((item) => !(item.id in this.data.labels));
    return !open && this.data.training && this.itemsOf("ahead").length ? "ahead" : "asked";
  },

  showPart(part) {
    if (this.part === part) return;
    this.part = part;
    this.active = false;
    this.clearSelection();
    this.fetchAhead();
    this.setOrder();
    this.columns = 0;
    this.layout();
    for (const id of this.ids) this.paintTile(id);
    this.cursor = Math.max(0, this.nextOpen(-1));
    this.anchor = this.cursor;
    this.moveTo(this.cursor);
    this.grabFocus();
  },

  /** Pictures of those ahead are fetched when they are near: they must be there when the last key falls. */
  fetchAhead() {
    for (const item of this.itemsOf("ahead")) {
      const { img } = this.tiles.get(item.id);
      if (!img.hasAttribute("src")) {
        img.loading = "eager"; // lazy pictures outside the page are never fetched
        this.fetchPicture(img, item);
      }
    }
  },

  /** Images of the part that nobody has answered, as far as this page knows: those of other people too. */
  openHere() {
    const open = this.left();
    if (open || !this.share?.leased) return open;
    // the server leases images ahead when none of the asked is open
    const beyond = this.part === "asked" && this.share.leased.some((id) => this.partOf(id) === "ahead");
    return beyond ? 0 : this.share.left;
  },

  /** Every answer of the part is given. Called last by whatever gave one. */
  partDone() {
    const open = this.openHere();
    if (open) return open <= NEAR_END ? this.fetchAhead() : undefined;
    if (this.next) return this.goOver();
    if (this.preferences.auto && !this.isTraining()) this.train();
    if (this.part === "asked" && this.isTraining() && this.itemsOf("ahead").length) {
      this.showPart("ahead");
      if (!this.left()) this.say(tr("All ahead are answered too."));
      else this.say(trN("Training. {n} images ahead can be labeled meanwhile.", "Training. {n} images ahead can be labeled meanwhile.", this.left()));
    }
  },

  // -- the next query ----------------------------------------------------------------------------------

  newest() {
    return this.next ?? this.data;
  },

  isTraining() {
    return Boolean(this.training || this.newest().training);
  },

  /** Labels that the next training adds: those that came elsewhere, and those given here that none has seen. */
  newLabels() {
    const trained = new Set(this.data.trained ?? []);
    const here = [...this.labels].filter(([id, to]) => to >= 0 && !trained.has(id));
    const everybodys = this.share?.leased && !trained.size ? this.share.labeled : 0;
    return Math.max((this.data.others ?? 0) + here.length, everybodys);
  },

  /** Whether somebody is in the middle of what a new query would pull away. */
  mustHold(data) {
    const before = this.data;
    if (!before || experimentOf(before.batch) !== experimentOf(data.batch)) return false;
    return this.active && data.round > before.round && this.left() > 0;
  },

  hold(data) {
    const first = !this.next;
    this.next = data;
    this.endRequest();
    if (first) {
      this.tell(trN("The next {n} images are ready.", "The next {n} images are ready.", data.asked));
      this.note("held", { batch: this.data.batch });
    }
    this.refresh();
  },

  /** On to the newest query. What was left open here returns to the pool. */
  goOver() {
    const { next } = this;
    if (!next) return this.say(tr("No newer images are ready yet."));
    const carried = this.newLabels();
    this.next = null;
    this.active = false;
    this.remember();
    this.note("held", { batch: null });
    this.update({ ...next, others: Math.max(next.others ?? 0, carried) });
    this.say(trN("{n} new images.", "{n} new images.", this.ids.length));
  },

  /** Where training goes on by itself, a batch's worth of labels is enough to begin. */
  trainOn() {
    if (this.preferences.auto && !this.isTraining() && this.newLabels() >= this.itemsOf("asked").length) this.train();
  },

  /** While it trains, ask for the page now and then: its own ticks end where a run of the rail takes their place. */
  keepLooking() {
    const waits = () => this.root.isConnected && this.isTraining() && !this.next;
    if (this.lookTimer || !waits()) return;
    this.lookTimer = setTimeout(() => {
      this.lookTimer = 0;
      if (waits() && !document.hidden) this.note?.("refresh");
      this.keepLooking();
    }, LOOK_MS);
  },

  // -- painting ----------------------------------------------------------------------------------------

  paintAhead() {
    this.keepLooking();
    const { next } = this;
    const ahead = this.part === "ahead";
    this.aheadBar.hidden = !ahead && !next;
    this.root.classList.toggle("is-ahead", ahead);
    this.overButton.hidden = !next;
    if (this.aheadBar.hidden) return;
    const open = this.left();
    const words = [];
    if (ahead) words.push(tr("Ahead: picked by the previous model, before your last labels. They train the round after."));
    if (next) words.push(open ? tr("Newer images are ready; they come after these {open}.", { open }) : tr("Newer images are ready."));
    else if (!open) words.push(tr("All answered: the next images come when the round is trained."));
    this.aheadWords.textContent = words.join(" ");
    if (next) this.overText.textContent = trN("Go over to {n} new ones", "Go over to {n} new ones", next.asked);
  },
};
