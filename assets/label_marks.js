/* Marks that stand beside an image's answer: unsure, flag, note. `marking` becomes methods of LabelGrid.
 *
 * A mark is set before or after the class, stays when the class changes, and is undone like an answer.
 */
const UNSURE = "unsure";
const FLAG = "flag";
const NOTE = "note";
const MARK_WORDS = { unsure: tr("unsure"), flag: tr("flagged"), note: tr("with a note") };

const marking = {
  marksOf(id) {
    return this.marks.get(id) ?? {};
  },

  setMark({ id, mark, to, text }) {
    const marks = { ...this.marksOf(id) };
    if (to) marks[mark] = text ?? true;
    else delete marks[mark];
    if (Object.keys(marks).length) this.marks.set(id, marks);
    else this.marks.delete(id);
  },

  /** What has to be sent so that a mark of an image is as it is now. */
  markNow(id, mark) {
    const value = this.marksOf(id)[mark];
    return { mark, to: value ? 1 : 0, ...(typeof value === "string" ? { text: value } : {}) };
  },

  /** Set the mark on the selection or the image under the cursor; take it back where all have it. */
  toggleMark(mark) {
    if (this.refuseClosed()) return;
    const chosen = this.chosen();
    const to = chosen.every((id) => this.marksOf(id)[mark]) ? 0 : 1;
    this.applyMark(chosen, { mark, to });
    const put = { mark: MARK_WORDS[mark] };
    const many = to
      ? trN("{n} images: {mark}.", "{n} images: {mark}.", chosen.length, put)
      : trN("{n} images: no longer {mark}.", "{n} images: no longer {mark}.", chosen.length, put);
    if (chosen.length > 1) this.say(many);
    else this.say(to ? `${put.mark}.` : tr("no longer {mark}.", put));
  },

  applyMark(ids, wanted) {
    const changes = ids
      .map((id) => ({ id, from: this.markNow(id, wanted.mark), to: wanted }))
      .filter(({ from, to }) => from.to !== to.to || from.text !== to.text);
    this.carryOut(changes);
    this.refresh();
  },

  buildNoteField() {
    const input = make("input", "find note-field");
    input.type = "text";
    input.maxLength = 1000;
    input.placeholder = tr("Note · Enter keeps it, Esc leaves it");
    input.setAttribute("aria-label", tr("Note on this image"));
    input.autocomplete = "off";
    input.hidden = true;
    input.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Streamlit's own page keys must not see what is typed
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      this.closeNote(event.key === "Enter");
    });
    input.addEventListener("blur", () => this.closeNote(true)); // what is typed is kept, wherever one clicks
    return input;
  },

  openNote() {
    if (this.refuseClosed()) return;
    this.noted = this.chosen();
    const [first] = this.noted;
    this.noteField.value = this.marksOf(first)[NOTE] ?? "";
    this.noteField.hidden = false;
    this.noteField.focus();
    this.noteField.select();
  },

  keepNote() {
    const text = this.noteField.value.trim();
    this.applyMark(this.noted, text ? { mark: NOTE, to: 1, text } : { mark: NOTE, to: 0 });
    this.say(text ? tr("Note kept.") : tr("No note."));
  },

  closeNote(keep) {
    if (this.noteField.hidden) return;
    this.noteField.hidden = true;
    if (keep) this.keepNote();
    this.tiles.get(this.ids[this.cursor])?.tile.focus({ preventScroll: true });
  },

  /** The signs on a tile; colour is never the only cue, and screen readers get the words. */
  markSigns(id) {
    const marks = this.marksOf(id);
    return Object.keys(MARK_WORDS).filter((mark) => marks[mark]).map((mark) => {
      const sign = make("span", `sign sign-${mark}`);
      sign.append(icon(mark));
      sign.title = mark === NOTE ? marks[NOTE] : MARK_WORDS[mark];
      return sign;
    });
  },

  markWords(id) {
    const marks = this.marksOf(id);
    return Object.keys(MARK_WORDS).filter((mark) => marks[mark]).map((mark) =>
      mark === NOTE ? tr("note: {note}", { note: marks[NOTE] }) : MARK_WORDS[mark]); // prettier-ignore
  },
};
