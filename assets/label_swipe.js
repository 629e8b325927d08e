/* Swiping through single images with a thumb: right takes the first guess, up the second, left skips.
 *
 * The picture follows the finger and says what a release would do. The answer is given at the release; the next
 * picture is there at once, while the old one flies off, so that the next swipe waits for nothing. Everything
 * else (other classes, undo) stays a button under the thumb. `swiping` becomes methods of LabelGrid.
 */
const SWIPE_PX = 72; // a release beyond it answers
const FLING = 0.5; // pixels a millisecond: so fast, half the way does
const FLY_MS = 180;

const swiping = {
  buildSwipe() {
    this.stamp = make("span", "stamp");
    this.stamp.setAttribute("aria-hidden", "true");
    this.stage.append(this.stamp);
    this.legend = make("div", "swipe-legend");
    this.legend.setAttribute("aria-hidden", "true"); // the buttons below say the same to screen readers
    return this.legend;
  },

  /** What a swipe gives: {to, name, colour}, or nothing. */
  swipeTo(way) {
    if (way === "left") return { to: SKIP, name: tr("Skip"), colour: "var(--muted)" };
    const rank = { right: 0, up: 1 }[way];
    const guess = this.data.showGuesses ? this.itemAt(this.cursor).guesses?.[rank] : undefined;
    return guess && { to: guess[0], name: this.data.classes[guess[0]], colour: colourOf(guess[0]) };
  },

  wayOf({ dx, dy }) {
    if (Math.abs(dx) >= Math.abs(dy)) return dx > 0 ? "right" : "left";
    return dy < 0 ? "up" : "down";
  },

  listenSwipe() {
    let from = null;
    const moved = (event) => ({ dx: event.clientX - from.x, dy: event.clientY - from.y });
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" || !event.isPrimary || this.data.readOnly) return;
      from = { x: event.clientX, y: event.clientY, at: event.timeStamp };
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => from && event.isPrimary && this.drag(moved(event)));
    this.stage.addEventListener("pointerup", (event) => {
      if (!from || !event.isPrimary) return;
      const way = moved(event);
      const length = Math.hypot(way.dx, way.dy);
      const speed = length / Math.max(1, event.timeStamp - from.at);
      from = null;
      this.letGo();
      if (length >= SWIPE_PX || (length >= SWIPE_PX / 2 && speed >= FLING)) this.swipe(this.wayOf(way), way);
    });
    this.stage.addEventListener("pointercancel", () => {
      from = null;
      this.letGo();
    });
  },

  drag({ dx, dy }) {
    const gives = this.swipeTo(this.wayOf({ dx, dy }));
    this.stage.classList.add("dragging");
    if (!this.still()) this.stageImage.style.transform = `translate(${dx}px, ${Math.min(dy, 24)}px) rotate(${dx / 24}deg)`;
    this.stamp.textContent = gives?.name ?? "";
    this.stamp.style.setProperty("--colour", gives?.colour ?? "transparent");
    this.stamp.style.opacity = gives ? Math.min(1, Math.hypot(dx, dy) / SWIPE_PX) : 0;
  },

  letGo() {
    this.stage.classList.remove("dragging");
    this.stageImage.style.transform = "";
    this.stamp.style.opacity = 0;
  },

  swipe(way, moved) {
    const gives = this.swipeTo(way);
    if (!gives) return way === "down" ? undefined : this.tell(tr("No guess to take here: choose the class below."));
    this.flyOff(moved);
    this.clearSelection();
    this.answer(gives.to);
  },

  /** A copy of the picture leaves; the picture itself shows the next one already. */
  flyOff({ dx, dy }) {
    if (this.still() || !this.stageImage.getAttribute("src")) return;
    const copy = this.stageImage.cloneNode();
    copy.alt = "";
    copy.className = "flying";
    const far = 1.6 * Math.max(this.stage.clientWidth, this.stage.clientHeight) / Math.hypot(dx, dy);
    this.stage.append(copy);
    const start = `translate(${dx}px, ${dy}px) rotate(${dx / 24}deg)`;
    const end = `translate(${dx * far}px, ${dy * far}px) rotate(${dx / 8}deg)`;
    const flight = copy.animate([{ transform: start }, { transform: end, opacity: 0 }], { duration: FLY_MS, easing: "ease-in" });
    flight.finished.finally(() => copy.remove()).catch(() => {});
  },

  still() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches || document.documentElement.dataset.motion === "reduce";
  },

  paintSwipe() {
    if (this.preferences.mode !== "single") return;
    const [up, right] = [this.swipeTo("up"), this.swipeTo("right")];
    const part = (arrow, gives, after) => {
      const words = make("span", "way");
      const name = make("span", "name", gives?.name ?? "–");
      words.append(...(after ? [name, arrow] : [arrow, name]));
      words.style.setProperty("--colour", gives?.colour ?? "transparent");
      return words;
    };
    this.legend.replaceChildren(part("←", this.swipeTo("left")), part("↑", up), part("→", right, true));
  },
};
