/* Answers on their way to the store: kept here and in localStorage until the server says that they are
 * committed. One per document, so that going to another page and back loses nothing.
 *
 * A client (uuid) numbers its answers 1, 2, 3 ... and belongs to one batch and one document. The server
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
    this.clients = new Map(); // batch -> {client, n}
    this.queue = []; // {client, n, batch, id, to, ms, at}, oldest first
    this.posts = new Map(); // experiment -> {url, token}
    this.denied = new Set(); // experiments whose token was refused
    this.refused = 0;
    this.refusal = "";
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
        if (fresh.length) this.queue.push(...fresh);
        else localStorage.removeItem(key);
      }
      this.queue.sort((a, b) => a.at - b.at || a.n - b.n);
    } catch {
      // Storage may be off or damaged; memory still holds this page's answers.
    }
  }

  persist(client) {
    try {
      const entries = this.queue.filter((entry) => entry.client === client);
      if (entries.length) localStorage.setItem(STORED + client, JSON.stringify(entries));
      else localStorage.removeItem(STORED + client);
    } catch {
      // Full or forbidden: the queue in memory goes on.
    }
  }

  /** Where and with which right the answers of a batch's experiment are sent. */
  setPost(batch, post) {
    const experiment = experimentOf(batch);
    const known = this.posts.get(experiment);
    this.posts.set(experiment, post);
    if (known?.token !== post.token && this.denied.delete(experiment)) this.failures = 0;
    this.schedule(0);
  }

  /** Queue answers [{id, to, ms}]; they are stored before this returns. */
  push(batch, ops) {
    let own = this.clients.get(batch);
    if (!own) this.clients.set(batch, (own = { client: uuid(), n: 0 }));
    const at = Date.now();
    for (const op of ops) this.queue.push({ client: own.client, n: ++own.n, batch, at, ...op });
    this.persist(own.client);
    this.notify([]);
    this.schedule(10);
  }

  waiting(batch) {
    return this.queue.filter((entry) => entry.batch === batch);
  }

  /** Answers that this document has the right to send; those of other sessions wait for their own page. */
  ours() {
    return this.queue.filter((entry) => this.posts.has(experimentOf(entry.batch)));
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  notify(acked, rev = 0, refused = []) {
    for (const listener of this.listeners) listener(acked, rev, refused);
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
      return this.posts.has(experiment) && !this.denied.has(experiment);
    });
    if (!first) return null;
    const limit = this.single ? 1 : MAX_OPS;
    return this.queue.filter((entry) => entry.client === first.client).slice(0, limit);
  }

  request(entries) {
    const { client, batch } = entries[0];
    const { url, token } = this.posts.get(experimentOf(batch));
    const ops = entries.map(({ n, id, to, ms }) => ({ n, id, to, ms }));
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

  delivered(entries, { n, rev }) {
    this.failures = 0;
    this.single = false;
    const { client } = entries[0];
    const acked = this.drop((entry) => entry.client === client && entry.n <= n);
    this.notify(acked, rev);
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
    this.refusal = typeof reply.error === "string" ? reply.error : "The server refused an answer.";
    const gone = new Set(entries);
    this.drop((entry) => gone.has(entry));
    this.notify([], 0, entries);
  }

  drop(test) {
    const dropped = this.queue.filter(test);
    this.queue = this.queue.filter((entry) => !test(entry));
    for (const client of new Set(dropped.map((entry) => entry.client))) this.persist(client);
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
