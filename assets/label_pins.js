/* Pinned examples: images that somebody pins to the class that they have, good ones and borderline ones.
 *
 * They are events of the log of classes and stand first in the guidelines (label_guide.js). `pinning` becomes
 * methods of LabelGrid.
 */
const GOOD = "good";
const BORDERLINE = "borderline";

const pinning = {
  /** What can be done with the image under the cursor; always in the same place. */
  buildPinning() {
    this.pins = new Map(); // image -> {class: kind}
    this.said = 0; // the last event of a class that `pins` knows of
    const foot = make("div", "guide-foot");
    this.pinWords = make("span", "guide-image");
    this.pinButtons = {
      [GOOD]: this.withKey(button("plain", "", () => this.pin(GOOD), icon("pin"), make("span", "", tr("Good example")), keycap("")), "", "pin"),
      [BORDERLINE]: button("plain", "", () => this.pin(BORDERLINE), icon("unsure"), make("span", "", tr("Borderline"))),
    };
    foot.append(this.pinWords, ...Object.values(this.pinButtons));
    return foot;
  },

  /** What the page's data knows of pins, unless this tab knows better. */
  takePins({ batch, pins, said = 0 }) {
    if (said < this.said && this.pinsOf === experimentOf(batch)) return;
    this.pinsOf = experimentOf(batch);
    this.said = said;
    this.pins = new Map(Object.entries(pins ?? {}).map(([id, kinds]) => [Number(id), kinds]));
  },

  pinOf(id, classId = this.labels.get(id)) {
    return this.pins.get(id)?.[classId];
  },

  /** Pin the image under the cursor as an example of its class; the same kind again takes it out. */
  async pin(kind) {
    if (this.refuseClosed()) return;
    const id = this.ids[this.cursor];
    const classId = this.labels.get(id);
    if (!(classId >= 0)) return this.tell(tr("An example belongs to a class: label the image, then pin it."));
    if (classId >= this.data.told) return this.tell(tr("The server does not know this class yet; try again in a moment."));
    await this.setPin(id, classId, this.pinOf(id, classId) === kind ? null : kind);
  },

  async setPin(id, classId, kind) {
    const change = { act: kind ? "pin" : "unpin", class_id: classId, sample_id: id, ...(kind ? { text: kind } : {}) };
    if (!(await this.tellClass(change))) return;
    const kinds = { ...this.pins.get(id) };
    delete kinds[classId];
    this.pins.set(id, kind ? { ...kinds, [classId]: kind } : kinds);
    if (this.tiles.has(id)) this.paintTile(id);
    this.refresh();
    const name = this.nameOf(classId);
    if (!kind) this.tell(tr("No longer an example of {name}.", { name }));
    else if (kind === GOOD) this.tell(tr("Pinned as a good example of {name}.", { name }));
    else this.tell(tr("Pinned as a borderline example of {name}.", { name }));
  },

  /** The sign of a pinned image, for its tile. */
  pinSigns(id) {
    const kind = this.pinOf(id);
    if (!kind) return [];
    const sign = make("span", "sign sign-pin");
    sign.append(icon("pin"));
    const name = this.nameOf(this.labels.get(id));
    sign.title = kind === GOOD ? tr("good example of {name}", { name }) : tr("borderline example of {name}", { name });
    return [sign];
  },

  pinnedCell(classId, { sample_id: id, src, kind }) {
    const cell = this.guideCell({ sample_id: id, src });
    cell.classList.add("pinned", kind); // good or borderline
    const good = kind === GOOD;
    cell.title = good ? tr("Pinned: a good example") : tr("Pinned: a borderline example");
    cell.firstChild.alt = good ? tr("Image {id}, a good example", { id }) : tr("Image {id}, a borderline example", { id });
    cell.append(make("span", "guide-kind", good ? tr("pinned") : tr("borderline")));
    if (this.data.readOnly) return cell;
    const out = button("unpin", tr("Unpin image {id} from {name}", { id, name: this.data.classes[classId] }), () => this.setPin(id, classId, null), icon("exclude"));
    out.dataset.again = `unpin ${classId} ${id}`;
    cell.append(out);
    return cell;
  },

  paintPinning() {
    const image = this.ids[this.cursor];
    const given = this.labels.get(image);
    const labeled = given >= 0;
    this.pinWords.textContent = labeled ? tr("This image, {name}:", { name: this.nameOf(given) }) : tr("Label this image to pin it");
    for (const [kind, element] of Object.entries(this.pinButtons)) {
      element.disabled = !labeled || this.data.readOnly;
      element.setAttribute("aria-pressed", String(labeled && this.pinOf(image, given) === kind));
    }
  },
};
