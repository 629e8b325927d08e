/* The tour: three coach marks at the first visit of the Label page, and when somebody asks for them again.
 *
 * They wait for what they are about: a step is over when its key is pressed, or by its button. Keys go on
 * working meanwhile and the focus stays in the grid; screen readers hear each mark in the live region. Escape
 * leaves. `touring` becomes methods of LabelGrid.
 */
const TOUR = "askwell.tour";
const MARKS = [
  {
    title: tr("Press what you see"),
    text: (grid) => {
      const how = grid.ownKeys
        ? tr("Type the character: it labels the image in the frame and goes to the next one.")
        : tr("Each class has a key, from {key} on. It labels the image in the frame and goes to the next one.", { key: grid.keys[0] });
      if (!grid.root.classList.contains("wide")) return how;
      return [how, tr("{key} shows what belongs to each class.", { key: keyText(grid.keyOf("guide")) })].join(" ");
    },
    place: (grid) => (grid.find.hidden ? grid.palette : grid.find),
    done: (grid) => grid.memory.done.length > grid.touredFrom,
  },
  {
    title: tr("Wrong key? Take it back"),
    text: (grid) => tr("{key} undoes and steps back, as often as you like. Each label is saved as you give it.", { key: keyText(grid.keyOf("undo")) }),
    place: (grid) => grid.undoButton,
    done: (grid) => grid.memory.undone.length > 0,
  },
  {
    title: tr("Then train"),
    text: () => tr("Ctrl Enter trains on what you labeled and asks for the next images. You need not answer all of them."),
    place: (grid) => grid.trainButton,
    done: () => false,
  },
]; // prettier-ignore

const touring = {
  buildTour() {
    this.touring = -1;
    this.coach = make("div", "coach");
    this.coach.hidden = true;
    this.coach.setAttribute("role", "group");
    this.coachTitle = make("b");
    this.coachText = make("p");
    this.coachNext = button("coach-next", "", () => this.tourStep(this.touring + 1), make("span"));
    const leave = button("coach-leave", tr("Leave the tour (Esc)"), () => this.endTour(), make("span", "", tr("Leave")), keycap(tr("Esc")));
    this.coachPlace = make("span", "coach-place");
    const foot = make("div", "coach-foot");
    foot.append(this.coachPlace, leave, this.coachNext);
    this.coach.append(this.coachTitle, this.coachText, foot);
    return this.coach;
  },

  /** Once a browser, with the first query that can be answered. */
  beginTour() {
    if (this.touring >= 0 || this.data.readOnly) return;
    try {
      if (localStorage.getItem(TOUR)) return;
      localStorage.setItem(TOUR, "shown"); // before it is over: who reloads the page in the midst has seen it
    } catch {
      return;
    }
    this.touredFrom = this.memory.done.length;
    this.tourStep(0);
  },

  tourStep(number) {
    if (number >= MARKS.length) return this.endTour();
    const mark = MARKS[number];
    this.touring = number;
    this.coach.hidden = false;
    this.coachTitle.textContent = mark.title;
    this.coachText.textContent = mark.text(this);
    const put = { place: number + 1, of: MARKS.length, title: mark.title, text: this.coachText.textContent };
    this.coachPlace.textContent = tr("{place} of {of}", put);
    this.coachNext.firstChild.textContent = number + 1 < MARKS.length ? tr("Next") : tr("Start labeling");
    this.coach.setAttribute("aria-label", tr("Tip {place} of {of}: {title}", put));
    this.say(tr("Tip {place} of {of}. {title}. {text} Escape leaves the tour.", put));
    this.placeTour();
  },

  /** Beside what it is about: to its left where the panel is at the side, above it on a phone. */
  placeTour() {
    if (this.touring < 0) return;
    const target = MARKS[this.touring].place(this);
    for (const each of this.root.querySelectorAll(".coached")) each.classList.remove("coached");
    target.classList.add("coached");
    const [root, box] = [this.root.getBoundingClientRect(), target.getBoundingClientRect()];
    const wide = this.root.classList.contains("wide");
    const { offsetWidth: width, offsetHeight: height } = this.coach;
    const left = wide ? box.left - root.left - width - 16 : (root.width - width) / 2;
    const panel = this.panel.getBoundingClientRect();
    const top = wide ? Math.min(box.top, innerHeight - height - 90) - root.top : panel.top - root.top - height - 12;
    this.coach.style.left = `${Math.max(0, left)}px`;
    this.coach.style.top = `${Math.max(0, top)}px`;
    this.coach.classList.toggle("beside", wide);
  },

  /** Called after each change: the step that is over gives way. */
  followTour() {
    if (this.touring < 0) return;
    if (MARKS[this.touring].done(this)) this.tourStep(this.touring + 1);
    else this.placeTour();
  },

  endTour() {
    if (this.touring < 0) return;
    this.touring = -1;
    this.coach.hidden = true;
    for (const each of this.root.querySelectorAll(".coached")) each.classList.remove("coached");
    this.say(tr("The tour is over. Help shows it again."));
    this.grabFocus();
  },
};
