/* Answers on their way to the store: kept here and in localStorage until the server says that they are
 * committed. One per document, so that going to another page and back loses nothing.
 *
 * A client (uuid) numbers its answers 1, 2, 3 ... and belongs to one batch, one person and one document. The server
 * ignores numbers that are not above the client's last, so sending again is harmless; therefore every
 * request begins with the oldest answer of its client that is not acknowledged.
 */
const OUTBOX = Symbol.for("askwell.outbox");
const STORED = "askwell.outbox.";
const MAX_OPS = 500;
const DAY = 86_400_000;
const KEPT_DAYS = 30;
const DENIED_MS = 5_000;

function uuid() {
  // crypto.randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function experimentOf(batch) {
  return batch.slice(0, batch.indexOf("/"));
}

class Outbox {
  constructor() {
    this.clients = new Map(); // batch and person -> {client, n}
    this.queue = []; // {client, n, batch, person, id, to, ms, at}, oldest first
    this.posts = new Map(); // experiment -> {url, token, person}: who labels now
    this.rights = new Map(); // experiment and person -> the same, of everybody who did in this document
    this.places = new WeakMap(); // entry -> its key in localStorage
    this.denied = new Set(); // experiments whose token was refused
    this.refused = 0;
    this.refusal = "";
    this.classes = new Map(); // experiment -> the last change of its classes that the server told of
    this.failures = 0;
    this.busy = false;
    this.single = false; // send one at a time, to find the one that is refused
    this.timer = 0;
    this.listeners = new Set();
    this.adopt();
    addEventListener("pagehide", () => this.leave());
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.retryNow();
    });
  }

  /** Take over what closed tabs and earlier loads of this page could not deliver. */
  adopt() {
    try {
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith(STORED)) continue;
        const entries = JSON.parse(localStorage.getItem(key));
        const fresh = entries.filter((entry) => Date.now() - entry.at < KEPT_DAYS * DAY);
        for (const entry of fresh) this.places.set(entry, key);
        if (fresh.length) this.queue.push(...fresh);
        else localStorage.removeItem(key);
      }
      this.queue.sort((a, b) => a.at - b.at || a.n - b.n);
    } catch {
      // Storage may be off or damaged; memory still holds this page's answers.
    }
  }

  /** What was pushed at once is stored under a key of its own: writing all that waits anew at each answer costs
   * more with each of them (250 unsent answers: 357 of 1,600 ms). */
  persist(key, entries) {
    try {
      if (entries.length) localStorage.setItem(key, JSON.stringify(entries));
      else localStorage.removeItem(key);
    } catch {
      // Full or forbidden: the queue in memory goes on.
    }
  }

  /** Where and with which right the answers of a batch's experiment are sent. */
  setPost(batch, post) {
    const experiment = experimentOf(batch);
    const known = this.posts.get(experiment);
    this.posts.set(experiment, post);
    this.rights.set(`${experiment} ${post.person ?? ""}`, post);
    if (known?.token !== post.token && this.denied.delete(experiment)) this.failures = 0;
    this.schedule(0);
  }

  /** Queue answers and marks [{id, to, ms, mark, text, how, bulk, shown, name}]; they are stored before this returns. */
  push(batch, ops) {
    const person = this.posts.get(experimentOf(batch))?.person ?? "";
    const key = `${batch} ${person}`;
    let own = this.clients.get(key);
    if (!own) this.clients.set(key, (own = { client: uuid(), n: 0 }));
    const at = Date.now();
    const entries = ops.map((op) => ({ client: own.client, n: ++own.n, batch, person, at, ...op }));
    const place = `${STORED}${own.client}.${entries[0]?.n}`;
    for (const entry of entries) this.places.set(entry, place);
    this.queue.push(...entries);
    if (entries.length) this.persist(place, entries);
    this.notify([]);
    this.schedule(10);
  }

  waiting(batch) {
    return this.queue.filter((entry) => entry.batch === batch);
  }

  /** The right to send an answer in the name in which it was given; without a name, in the present one. */
  rightOf({ batch, person = "" }) {
    const experiment = experimentOf(batch);
    return this.rights.get(`${experiment} ${person}`) ?? (person ? undefined : this.posts.get(experiment));
  }

  /** Answers that this document may send; other sessions' and other people's wait for a page of theirs. */
  ours() {
    return this.queue.filter((entry) => this.rightOf(entry));
  }

  /** Names of people whose answers to a session wait in this browser until they label here again. */
  strangers(experiment) {
    const left = this.queue.filter((entry) => experimentOf(entry.batch) === experiment && !this.rightOf(entry));
    return [...new Set(left.map((entry) => entry.person))];
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  notify(acked, rev = 0, refused = [], taken = []) {
    for (const listener of this.listeners) listener(acked, rev, refused, taken);
  }

  schedule(delay) {
    if (this.busy || this.timer || !this.queue.length) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.send();
    }, delay);
  }

  retryNow() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.schedule(0);
  }

  /** The oldest answers of the first client that may send. */
  next() {
    const first = this.queue.find((entry) => {
      const experiment = experimentOf(entry.batch);
      return this.rightOf(entry) && !this.denied.has(experiment);
    });
    if (!first) return null;
    const limit = this.single ? 1 : MAX_OPS;
    return this.queue.filter((entry) => entry.client === first.client).slice(0, limit);
  }

  request(entries) {
    const { client, batch } = entries[0];
    const { url, token } = this.rightOf(entries[0]);
    const ops = entries.map(({ n, id, to, ms, mark, text, how, bulk, shown, name }) => (
      { n, id, to, ms, mark, text, how, bulk, shown, name }));
    const body = JSON.stringify({ batch, client, ops });
    return fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-AL-Token": token },
      body,
      keepalive: body.length < 50_000, // the browser refuses more than 64 KiB of it
      credentials: "same-origin",
      signal: AbortSignal.timeout(15_000),
    });
  }

  async send() {
    const entries = this.busy ? null : this.next();
    if (!entries) return;
    this.busy = true;
    let delay = 0;
    try {
      const response = await this.request(entries);
      const reply = await response.json().catch(() => ({}));
      if (response.ok && Number.isInteger(reply.n)) this.delivered(entries, reply);
      else if (response.status === 403) this.deny(entries);
      else if ([409, 413, 415, 422].includes(response.status)) this.refuse(entries, response.status, reply);
      else throw new Error(`status ${response.status}`);
    } catch {
      delay = Math.min(10_000, 500 * 2 ** this.failures++);
      this.notify([]);
    }
    this.busy = false;
    this.schedule(delay);
  }

  delivered(entries, { n, rev, taken, classes }) {
    this.failures = 0;
    this.single = false;
    const { client, batch } = entries[0];
    if (classes) this.classes.set(experimentOf(batch), classes);
    const acked = this.drop((entry) => entry.client === client && entry.n <= n);
    this.notify(acked, rev, [], taken ?? []);
  }

  deny(entries) {
    const experiment = experimentOf(entries[0].batch);
    this.denied.add(experiment);
    this.notify([]);
    // The page makes a new token, but within the hour that is the same one: ask again all the same.
    setTimeout(() => this.denied.delete(experiment) && this.retryNow(), DENIED_MS);
  }

  refuse(entries, status, reply) {
    if (entries.length > 1 && (status === 413 || status === 422)) {
      this.single = true;
      return;
    }
    this.single = false;
    this.refused += entries.length;
    this.refusal = typeof reply.error === "string" ? reply.error : tr("The server refused an answer.");
    const gone = new Set(entries);
    this.drop((entry) => gone.has(entry));
    this.notify([], 0, entries);
  }

  drop(test) {
    const dropped = this.queue.filter(test);
    this.queue = this.queue.filter((entry) => !test(entry));
    const touched = new Set(dropped.map((entry) => this.places.get(entry)));
    for (const key of touched) this.persist(key, this.queue.filter((entry) => this.places.get(entry) === key));
    return dropped;
  }

  /** The page goes away: one last request, with what is in flight included, that outlives it. */
  leave() {
    const entries = this.next();
    if (entries) this.request(entries).catch(() => {});
  }
}

function outbox() {
  return (window[OUTBOX] ??= new Outbox());
}
