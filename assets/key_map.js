/* The key map on a page of its own: the table, storage and checks are those of the Label page (label_keys.js).
 * With `edit` it is changed here; without, it is the cheat sheet. The wrapper puts label_view.js and
 * label_keys.js in front of this file.
 */
class KeyMap {
  constructor(parent) {
    this.keyed = [];
    this.rebinding = null;
    this.onPage = true;
    this.root = make("div", "askwell key-map");
    const [columns, alt, words, foot] = this.buildKeyMap();
    this.alt = alt;
    this.foot = foot;
    this.sheetClose = columns;
    this.replay = button("plain", "", () => this.replayTour(), make("span", "", tr("Replay the tour of the Label page")));
    this.root.append(columns, alt, words, foot, this.replay);
    parent.append(this.root);
    this.stop = new AbortController();
    const { signal } = this.stop;
    addEventListener("keydown", (event) => this.onKey(event), { signal, capture: true });
    addEventListener("askwell:reset", () => this.data && this.loadKeys(), { signal });
  }

  update(data, send) {
    this.send = send;
    this.data = data;
    this.onlyShown = !data.edit;
    this.foot.hidden = this.onlyShown;
    this.replay.hidden = data.edit;
    this.ownKeys = false;
    this.loadKeys();
  }

  /** What the Label page paints at a change; here it is the map alone. */
  indexKeys() {
    this.actions = new Map(Object.entries(this.bound).flatMap(([name, keys]) => keys.map((key) => [key, name])));
    this.paintSheet();
  }

  paint() {}

  onKey(event) {
    if (!this.rebinding || event.ctrlKey || event.metaKey || event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (!["Shift", "Alt"].includes(event.key)) this.takeKey(event);
  }

  replayTour() {
    try {
      localStorage.removeItem(TOUR);
    } catch {
      // Without storage the tour is shown anyway.
    }
    this.send("replay", Date.now());
  }
}

const { indexKeys: _, ...shared } = keying;
Object.assign(KeyMap.prototype, shared);

const maps = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let map = maps.get(parentElement);
  if (!map) maps.set(parentElement, (map = new KeyMap(parentElement)));
  map.update(data, setTriggerValue);
  return () => {
    map.stop.abort();
    map.root.remove();
    maps.delete(parentElement);
  };
}
