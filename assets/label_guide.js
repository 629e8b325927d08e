/* The guidelines: of each class its key, number of labels, words and examples, in a drawer that stays open.
 *
 * It lies over what stands left of the images, which is Streamlit's side bar; where that is folded away the grid
 * makes room once, as the drawer opens. So nothing moves while one labels, and keys go on labelling. Where there
 * is no room beside the images, on a phone, it is a sheet over them, and a dialog. `guiding` becomes methods of
 * LabelGrid.
 */
const GUIDE_PX = 340; // as in label_guide.css
const GUIDE_GAP = 16;
const GUIDE_ROOM = 560; // what the images and the panel keep beside it
const GUIDE_LOOK_MS = 15_000; // between two looks whether somebody else has said something of a class
const GUIDE_ROW = 4; // pictures in a row

const guiding = {
  buildGuide() {
    this.guides = null; // as the server told them
    this.guideParts = new Map(); // class -> {element, count, cap}
    this.editing = null; // the class whose words are written anew
    this.guide = make("section", "guide");
    this.guide.hidden = true;
    this.guide.setAttribute("aria-label", tr("Guidelines"));
    const head = make("div", "guide-head");
    this.guideClose = this.withKey(button("quiet", "", () => this.closeGuide(), icon("exclude")), tr("Close the guidelines"), "guide");
    head.append(make("h3", "", tr("Guidelines")), this.guideClose);
    this.guideList = make("div", "guide-list");
    this.guideList.setAttribute("role", "group");
    this.guideList.setAttribute("aria-label", tr("Classes and their guidelines"));
    this.guideList.tabIndex = 0; // it scrolls, so keys must reach it
    this.guideWords = make("p", "guide-words");
    this.guideWords.setAttribute("role", "status");
    this.guide.append(head, this.guideList, this.guideWords, this.buildPinning());
    return this.guide;
  },

  /** A button that opens and closes it; there are two, of which one is seen. */
  guideButton(className, ...children) {
    const element = this.withKey(button(className, "", () => this.toggleGuide(), icon("guide"), ...children), tr("Guidelines: what belongs to each class"), "guide");
    element.setAttribute("aria-expanded", "false");
    (this.guideOpeners ??= []).push(element);
    return element;
  },

  // -- opening, closing, place -----------------------------------------------------------------------

  toggleGuide() {
    if (this.guide.hidden) this.openGuide();
    else this.closeGuide();
  },

  openGuide({ remembered = false } = {}) {
    const { covers } = this.guideRoom();
    if (remembered && covers) return; // a sheet is never met unasked
    this.guide.hidden = false;
    this.guideCovers = covers;
    if (!covers && !remembered) this.prefer({ guide: true });
    this.showGuideState();
    this.layout();
    this.paintGuides();
    this.guideTarget = this.classInView();
    this.askGuides();
    this.showClass(this.guideTarget);
    if (remembered) return;
    if (this.guideCovers) this.guideClose.focus();
    else this.say(tr("Guidelines are open. Keys go on labeling; Tab leads to them."));
  },

  closeGuide() {
    const within = this.guideCovers || this.guide.contains(this.root.getRootNode().activeElement);
    if (!this.guideCovers) this.prefer({ guide: false });
    this.guide.hidden = true;
    this.editing = null;
    clearTimeout(this.guideTimer);
    this.showGuideState();
    this.layout();
    if (within) this.grabFocus();
    this.say(tr("Guidelines are closed."));
  },

  showGuideState() {
    const open = !this.guide.hidden;
    const covers = open && this.guideCovers;
    this.root.classList.toggle("guide-over", covers);
    for (const element of this.guideOpeners) element.setAttribute("aria-expanded", String(open));
    this.guide.setAttribute("role", covers ? "dialog" : "region");
    if (covers) this.guide.setAttribute("aria-modal", "true");
    else this.guide.removeAttribute("aria-modal");
    for (const element of [this.bar, this.view, this.panel]) element.inert = covers;
    // frame.css takes the side bar that lies below out of the order of Tab
    if (open) document.documentElement.dataset.guide = "open";
    else delete document.documentElement.dataset.guide;
  },

  /** How much is missing left of the images, and whether that is too much: then it covers them. */
  guideRoom() {
    const { left, width } = this.root.getBoundingClientRect();
    const missing = Math.max(0, GUIDE_PX + GUIDE_GAP - left);
    return { missing, covers: width - missing < GUIDE_ROOM };
  },

  /** With the rest of the layout: beside the images, with as much room made as is missing, or over them. */
  placeGuide() {
    const open = !this.guide.hidden;
    const { missing, covers } = this.guideRoom();
    this.guidePad = open && !covers ? missing : 0;
    this.root.style.paddingLeft = this.guidePad ? `${this.guidePad}px` : "";
    if (!open || covers === this.guideCovers) return;
    this.guideCovers = covers;
    this.showGuideState();
  },

  /** The grid was mounted, or shows another query, maybe of another session. */
  beginGuide() {
    const experiment = experimentOf(this.data.batch);
    if (this.guidesOf !== experiment) Object.assign(this, { guidesOf: experiment, guides: null, editing: null });
    if (!this.guide.hidden) this.guideFollows();
    else if (this.preferences.guide) this.openGuide({ remembered: true });
  },

  leaveGuide() {
    clearTimeout(this.guideTimer);
    delete document.documentElement.dataset.guide;
  },

  /** The class that the image under the cursor has, or is guessed to have where guesses are shown. */
  classInView() {
    const given = this.labels.get(this.ids[this.cursor]);
    const guess = this.data.showGuesses ? this.itemAt(this.cursor).guesses?.[0]?.[0] : undefined;
    return given >= 0 ? given : guess;
  },

  /** Keys that the drawer takes for itself: scrolling, where the focus is in it; all, where it covers the images. */
  guideKey(event, target) {
    if (this.guide.hidden) return false;
    const scrolls = this.guide.contains(target) && !(target instanceof HTMLButtonElement)
      && (event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown", " "].includes(event.key)); // prettier-ignore
    return scrolls && !event.ctrlKey && !event.metaKey && !event.altKey;
  },

  guideCovered() {
    return !this.guide.hidden && this.guideCovers;
  },

  runGuideKey(event, command) {
    if (command) return false;
    const action = event.repeat ? "" : this.actionOf(event);
    if (event.key === "Escape" || action === "guide") this.closeGuide();
    else if (action === "pin") this.pin(GOOD);
    return true;
  },

  // -- what the server knows ---------------------------------------------------------------------------

  async askClasses(query, options = {}) {
    const { classesUrl, post } = this.data;
    const response = await fetch(classesUrl + query, {
      ...options,
      headers: { "X-AL-Token": post.token, ...(options.body ? { "Content-Type": "application/json" } : {}) },
      credentials: "same-origin",
      signal: AbortSignal.timeout(10_000),
    });
    if (response.status === 204) return null;
    const told = await response.json().catch(() => ({}));
    if (response.status === 403) this.note?.("refresh"); // the page makes a new token
    if (!response.ok) throw new Error(told.error ?? tr("The server said {status}.", { status: response.status }));
    return told;
  },

  /** Read the guidelines; with `after`, only if something has been said of a class since. */
  async askGuides({ after } = {}) {
    clearTimeout(this.guideTimer);
    const { batch, round } = this.data;
    try {
      const told = await this.askClasses(`?guides=${round}${after === undefined ? "" : `&after=${after}`}`);
      if (this.stop.signal.aborted || this.guide.hidden || this.data.batch !== batch) return;
      this.guideWords.textContent = "";
      if (told) this.takeGuides(told);
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.guideWords.textContent = tr("The guidelines could not be read; tried again soon. {error}", { error: error.message });
    }
    if (!this.guide.hidden) this.guideTimer = setTimeout(() => this.lookAtGuides(), GUIDE_LOOK_MS);
  },

  lookAtGuides() {
    if (!document.hidden) this.askGuides({ after: this.guides?.said });
    else this.guideTimer = setTimeout(() => this.lookAtGuides(), GUIDE_LOOK_MS);
  },

  takeGuides(told) {
    const same = this.guides && JSON.stringify(this.guides.guides) === JSON.stringify(told.guides);
    this.guides = told;
    if (!same && this.editing === null) this.paintGuides();
    this.guideTarget = undefined; // later news scroll nothing
  },

  /** Answers were saved: until a network says which labels are typical, the latest ones are shown. */
  guideSaved() {
    if (!this.guide.hidden && this.guides?.guides.some(({ by_model: byModel }) => !byModel)) this.askGuides();
  },

  /** Classes were added, renamed, merged or retired: what is known is drawn with them at once. */
  guideFollows() {
    if (this.guide.hidden) return;
    if (this.editing === null) this.paintGuides();
    this.askGuides();
  },

  /** Say something of a class; gives whether it was written. */
  async tellClass(change) {
    try {
      const told = await this.askClasses("", { method: "POST", body: JSON.stringify(change) });
      this.said = told.said;
      if (!this.guide.hidden) this.askGuides();
      return true;
    } catch (error) {
      this.guideWords.textContent = error.message;
      this.tell(error.message);
      return false;
    }
  },

  // -- painting ------------------------------------------------------------------------------------------

  paintGuides() {
    const { guideList: list } = this;
    const top = list.scrollTop;
    const focused = this.root.getRootNode().activeElement;
    const again = list.contains(focused) ? focused.dataset.again : undefined;
    const told = new Map((this.guides?.guides ?? []).map((each) => [each.class_id, each]));
    const nothing = { text: "", pins: [], typical: [], labels: 0 };
    this.guideParts = new Map(this.openIds().map((id) => [id, this.guideOf(id, told.get(id) ?? nothing)]));
    list.replaceChildren(...[...this.guideParts.values()].map(({ element }) => element));
    list.scrollTop = top;
    if (again) [...list.querySelectorAll("[data-again]")].find(({ dataset }) => dataset.again === again)?.focus();
    this.guideNow = undefined;
    this.paintGuide();
    this.showClass(this.guideTarget);
  },

  guideOf(id, told) {
    const name = this.data.classes[id];
    const element = make("div", "guide-class");
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", name);
    element.style.setProperty("--colour", colourOf(id));
    const head = make("div", "guide-title");
    const cap = keycap("");
    const count = make("span", "guide-count");
    const title = make("h4", "", name);
    title.title = name;
    head.append(make("span", "swatch"), title, cap, count);
    const nothing = this.guides ? tr("Nobody has written down yet what belongs to it.") : "…";
    const text = make("div", "guide-text", told.text || nothing);
    text.classList.toggle("empty", !told.text);
    const at = new Date(1000 * told.at).toLocaleString();
    if (told.by || told.at) text.title = told.by ? tr("By {name}, {at}", { name: told.by, at }) : tr("By somebody, {at}", { at });
    element.append(head, text, this.guideRow(id, told));
    if (!this.data.readOnly && id < this.data.told) {
      const words = told.text ? tr("Edit") : tr("Write it");
      const label = told.text ? tr("Edit: the guideline of {name}", { name }) : tr("Write it: the guideline of {name}", { name });
      const edit = button("guide-edit", label, () => this.editGuide(id, told), icon("edit"), make("span", "", words));
      edit.dataset.again = `edit ${id}`;
      head.append(edit);
    }
    return { element, text, count, cap, labels: told.labels };
  },

  /** Pinned examples, then typical labels; places are kept for those to come, so that these move nothing. */
  guideRow(id, { pins, typical, by_model: byModel }) {
    const row = make("div", "guide-row");
    const places = pins.length ? Math.ceil((pins.length + 2) / GUIDE_ROW) * GUIDE_ROW : GUIDE_ROW;
    const ordered = [GOOD, BORDERLINE].flatMap((kind) => pins.filter((pin) => pin.kind === kind));
    const cells = [...ordered.map((pin) => this.pinnedCell(id, pin)), ...typical.map((each) => this.guideCell(each, byModel))];
    while (cells.length < places) cells.push(make("span", "guide-cell none"));
    row.append(...cells.slice(0, places));
    if (!pins.length && !typical.length) row.append(make("span", "hidden", tr("No example yet")));
    return row;
  },

  guideCell({ sample_id: id, src }, byModel) {
    const cell = make("div", "guide-cell");
    const picture = make("img");
    Object.assign(picture, { loading: "lazy", decoding: "async", draggable: false, alt: tr("Image {id}", { id }) });
    picture.src = src;
    cell.title = byModel ? tr("Labeled so, and typical by the model") : tr("Labeled so");
    cell.append(picture);
    return cell;
  },

  /** Called with each frame: counts, keys, and what the image under the cursor is. Nothing of it moves anything. */
  paintGuide() {
    if (this.guide.hidden) return;
    const tally = new Map();
    for (const value of this.labels.values()) if (value >= 0) tally.set(value, (tally.get(value) ?? 0) + 1);
    for (const [id, { count, cap, labels }] of this.guideParts) {
      const number = labels + (tally.get(id) ?? 0);
      const words = trN("{n} label", "{n} labels", number);
      if (count.textContent !== words) count.textContent = words;
      if (cap.textContent !== this.keys[id]) cap.textContent = this.keys[id];
    }
    const given = this.labels.get(this.ids[this.cursor]);
    if (given !== this.guideNow) {
      this.guideParts.get(this.guideNow)?.element.classList.remove("now");
      this.guideParts.get(given)?.element.classList.add("now");
      this.guideNow = given;
    }
    this.paintPinning();
  },

  /** Bring a class into view, without moving the page. */
  showClass(id) {
    const part = this.guideParts.get(id);
    if (this.guide.hidden || !part) return;
    this.guideList.scrollTop += part.element.getBoundingClientRect().top - this.guideList.getBoundingClientRect().top;
  },

  // -- words ---------------------------------------------------------------------------------------------

  editGuide(id, told) {
    if (this.editing !== null) return;
    this.editing = id;
    const name = this.data.classes[id];
    const field = make("textarea");
    Object.assign(field, { value: told.text, maxLength: 4000, rows: 6, placeholder: tr("What to look for, and what goes elsewhere") });
    field.setAttribute("aria-label", tr("What belongs to {name}", { name }));
    const leave = () => {
      this.editing = null;
      this.paintGuides();
      this.guideList.querySelector(`[data-again="edit ${id}"]`)?.focus();
    };
    const save = async () => {
      const written = await this.tellClass({ act: "guide", class_id: id, text: field.value });
      if (!written || this.editing !== id) return;
      const known = this.guides?.guides.find((each) => each.class_id === id);
      if (known) known.text = field.value.trim();
      leave();
      this.tell(tr("The guideline of {name} is saved.", { name }));
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the page's own keys must not see what is typed
      if (event.key === "Escape") leave();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
      else return;
      event.preventDefault();
    });
    const foot = make("div", "guide-tools");
    foot.append(
      button("plain", "", save, icon("check"), make("span", "", tr("Save")), keycap(tr("Ctrl ↵"))),
      button("plain", "", leave, make("span", "", tr("Leave it")), keycap(tr("Esc"))),
    ); // prettier-ignore
    this.guideParts.get(id).text.replaceChildren(field, foot);
    field.focus();
  },
};
