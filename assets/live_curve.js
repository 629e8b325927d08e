// A live chart: the learning curve of an experiment, or the loss and accuracy of a round while it trains.
//
// Streamlit calls the default export again at every change of `data` or theme, and its cleanup only at unmount. So
// everything is kept in a WeakMap by host element, listeners are attached once, and a call is an update. Points come
// from the metrics route, which sends only what this browser does not have yet. Zoom, hidden legend entries and the
// switches survive, since the plot is never made anew: Plotly.react with a constant uirevision.
//
// Every foreign string reaches the page as text, or Plotly with its tags escaped.

const charts = new WeakMap();
let plotly = null; // a promise: the bundle is loaded once for all charts
const BUSY = 1000;
const IDLE = 5000;
const LONGEST = 10000;
const NARROW = 620;

export default function (component) {
  const host = component.parentElement.querySelector(".al-curve");
  let chart = charts.get(host);
  if (!chart) {
    chart = new LiveCurve(host);
    charts.set(host, chart);
  }
  chart.update(component.data, (value) => component.setTriggerValue("changed", value));
  return () => {
    chart.stop();
    charts.delete(host);
  };
}

function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly?.react) {
      resolve(window.Plotly);
      return;
    }
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null;
      script.remove();
      reject(new Error(tr("the chart library did not load")));
    };
    document.head.append(script);
  });
  return plotly;
}

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

class LiveCurve {
  constructor(host) {
    this.host = host;
    this.data = null;
    this.switches = { zero: false, log: false, forecast: true };
    this.forget();
    this.build();
    this.onVisible = () => !document.hidden && this.data && this.poll();
    document.addEventListener("visibilitychange", this.onVisible);
    this.resizer = new ResizeObserver(() => this.resized());
    this.resizer.observe(this.stage);
  }

  build() {
    this.host.replaceChildren();
    const head = element("div", "al-curve-head", this.host);
    this.head = head;
    const state = element("div", "al-curve-state", head);
    element("span", "al-curve-dot", state).setAttribute("aria-hidden", "true");
    this.stateText = element("span", "al-text", state);
    this.tools = element("div", "al-curve-tools", head);
    this.tools.hidden = true;
    this.zero = this.tool(tr("From zero"), tr("Start the y axis at zero"), () => this.flip("zero"));
    this.log = this.tool(tr("Log labels"), tr("Draw the labels on a logarithmic axis"), () => this.flip("log"));
    this.ahead = this.tool(tr("Forecast"), tr("Continue the curve by the law that explains it"), () => this.flip("forecast"));
    this.bar = element("div", "al-curve-bar", this.host);
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", tr("progress of this round"));
    this.fill = element("div", "al-curve-fill", this.bar);
    this.stage = element("div", "al-curve-stage", this.host);
    this.plot = element("div", "al-curve-plot", this.stage);
    this.plot.setAttribute("role", "figure"); // not an image: its tools can be focused
    this.plot.setAttribute("aria-label", tr("Chart"));
    this.empty = element("div", "al-curve-empty", this.stage);
    this.note = element("p", "al-curve-note", this.host);
    this.summary = element("p", "al-curve-hidden", this.host);
    this.announcer = element("div", "al-curve-hidden", this.host);
    this.announcer.setAttribute("role", "status");
  }

  tool(text, title, act) {
    const button = element("button", "", this.tools);
    button.type = "button";
    button.textContent = text;
    button.title = title;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", act);
    button.addEventListener("keydown", (event) => event.key !== "Tab" && event.stopPropagation());
    return button;
  }

  flip(name) {
    this.switches[name] = !this.switches[name];
    this.draw();
  }

  forget() {
    this.rounds = [];
    this.ghost = [];
    this.epochs = [];
    this.epochsRound = null;
    this.version = "";
    this.status = null;
    this.job = null;
    this.failures = 0;
    this.told = { signature: null, at: 0, times: 0 };
  }

  update(data, tell) {
    const before = this.data;
    this.data = data;
    this.tell = tell;
    if (before && before.experiment !== data.experiment) this.forget();
    if (before && before.round !== data.round) {
      this.epochs = [];
      this.epochsRound = null;
      this.version = "";
    }
    this.colors = this.theme();
    const fresh = !before || before.experiment !== data.experiment || before.round !== data.round;
    this.draw();
    if (fresh || before.url !== data.url || before.seen !== data.seen) this.poll();
  }

  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.resizer.disconnect();
    document.removeEventListener("visibilitychange", this.onVisible);
    window.Plotly?.purge?.(this.plot);
    this.data = null;
  }

  // -- asking ---------------------------------------------------------------------------------------

  address() {
    const url = new URL(this.data.url, window.location.origin);
    const asked = { v: this.version, r: this.rounds.length, g: this.ghost.length };
    if (this.data.view === "training") {
      Object.assign(asked, { e: this.data.round ?? "last", n: this.epochs.length, k: this.epochsRound ?? 0 });
    }
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    return url;
  }

  async poll() {
    clearTimeout(this.timer);
    this.request?.abort();
    if (document.hidden || !this.data) return; // visibilitychange asks again
    const request = new AbortController();
    this.request = request;
    try {
      const answer = await fetch(this.address(), { signal: request.signal, cache: "no-store" });
      if (answer.status === 200) {
        this.take(await answer.json());
      } else if (answer.status === 403) {
        this.rerun("expired"); // the page makes a fresh token
      } else if (answer.status === 404) {
        this.say("lost", tr("This experiment is gone."));
        return;
      } else if (answer.status !== 204) {
        throw new Error(`status ${answer.status}`);
      }
      if (this.failures > 0) this.version = ""; // the next answer tells the state in full
      this.failures = 0;
    } catch (error) {
      if (request.signal.aborted) return;
      this.failures += 1;
    }
    if (!this.data) return;
    this.describe();
    this.agree();
    this.timer = setTimeout(() => this.poll(), this.pause());
  }

  pause() {
    if (this.failures) return Math.min(LONGEST, 500 * 2 ** this.failures);
    return this.active() ? BUSY : IDLE;
  }

  active() {
    return this.job !== null && ["queued", "running"].includes(this.job.state);
  }

  take(news) {
    this.version = news.version;
    this.status = news.status;
    const job = this.job;
    this.job = news.job;
    const more = news.rounds.length + news.ghost.length + (news.epochs?.length ?? 0);
    this.rounds.splice(news.rounds_from, Infinity, ...news.rounds);
    this.ghost.splice(news.ghost_from, Infinity, ...news.ghost);
    if (news.epochs) {
      if (news.epochs_round !== this.epochsRound) this.epochs = [];
      this.epochsRound = news.epochs_round;
      this.epochs.splice(news.epochs_from, Infinity, ...news.epochs);
    }
    this.waits();
    if (more || !this.drawn || job?.epochs !== news.job?.epochs) this.draw();
  }

  // The page was drawn for one state of the experiment; when there is another, it is run again, once.
  agree() {
    if (this.status === null) return;
    const job = this.job ? [this.job.id, this.job.state, this.job.paused] : ["", "", ""];
    const signature = [this.status, this.rounds.length, ...job].join("/");
    if (signature !== this.data.seen) this.rerun(signature);
  }

  // Where a round lies on another axis than labels only the page can say.
  waits() {
    const axis = this.data.axis;
    if (!axis) return;
    if (this.rounds.length > axis.own.length || this.ghost.length > axis.ghost.length) {
      this.rerun(`axis/${this.rounds.length}/${this.ghost.length}`);
    }
  }

  rerun(signature) {
    // A trigger may be lost while the page is busy: said again a few times, never without end.
    const again = signature === this.told.signature;
    if (again && (Date.now() - this.told.at < 4000 || this.told.times > 3)) return;
    this.told = { signature, at: Date.now(), times: again ? this.told.times + 1 : 1 };
    this.tell(signature);
  }

  // -- words ----------------------------------------------------------------------------------------

  say(state, text) {
    this.host.dataset.state = state;
    // Beside the training chart the job's own panel says how it goes.
    this.head.hidden = this.data.view === "training" && state !== "lost";
    if (this.head.hidden) text = "";
    if (this.stateText.textContent !== text) this.stateText.textContent = text;
  }

  describe() {
    const done = this.share();
    this.bar.hidden = this.data.view !== "job" || !this.active() || done === null;
    this.fill.style.width = `${100 * (done ?? 0)}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * (done ?? 0))));
    if (this.failures > 1) this.say("lost", tr("The server does not answer. Reconnecting …"));
    else if (this.job?.paused && this.active()) this.say("paused", [tr("Paused"), ...this.place()].join(" · "));
    else if (this.active()) this.say("live", [this.doing(), ...this.place(), ...this.left()].join(" · "));
    else if (this.status !== null) this.say("still", this.resting());
    else this.say("still", tr("Loading …"));
  }

  doing() {
    const words = {
      prepare: tr("Preparing images"),
      features: tr("Computing features"),
      train: tr("Training"),
      evaluate: tr("Evaluating"),
      query: tr("Choosing the next images"),
    };
    if (this.job.state === "queued") return tr("Waiting for the worker");
    return words[this.job.phase] ?? tr("Working");
  }

  place() {
    const { round, phase, epoch, epochs } = this.job ?? {};
    const parts = [];
    if (Number.isInteger(round) && round >= 0) parts.push(tr("round {round}", { round }));
    if (phase === "train" && Number.isInteger(epochs) && epochs > 0) {
      parts.push(tr("epoch {epoch} of {epochs}", { epoch: Math.min((epoch ?? 0) + 1, epochs), epochs }));
    }
    return parts.length ? [parts.join(", ")] : [];
  }

  left() {
    const seconds = this.job?.eta_seconds;
    if (!Number.isFinite(seconds) || seconds < 1) return [];
    if (seconds < 90) return [tr("about {seconds} s left", { seconds: Math.round(seconds) })];
    return [tr("about {minutes} min left", { minutes: Math.round(seconds / 60) })];
  }

  resting() {
    const words = {
      new: tr("Not started yet"),
      awaiting_labels: tr("Waiting for labels"),
      training: tr("Interrupted; it goes on when you continue"),
      finished: tr("Finished"),
      failed: tr("The last job failed"),
    };
    return words[this.status] ?? this.status;
  }

  share() {
    const { done, total, epoch, epochs } = this.job ?? {};
    const share = total > 0 ? done / total : epochs > 0 ? (epoch ?? 0) / epochs : null;
    return share === null ? null : Math.min(1, Math.max(0, share));
  }

  // -- drawing --------------------------------------------------------------------------------------

  theme() {
    const style = getComputedStyle(this.host);
    const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    const background = read("--st-background-color", "#ffffff");
    return {
      text: read("--st-text-color", "#1d2628"),
      background,
      raised: read("--st-secondary-background-color", "#f1efe8"),
      line: read("--st-border-color", "#dcd8cc"),
      font: read("--st-font", "sans-serif"),
      dark: isDark(background),
    };
  }

  resized() {
    const width = this.stage.clientWidth;
    if (!width || width === this.width || !this.drawn) return;
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => this.data && this.draw(), 60);
  }

  async draw() {
    const data = this.data;
    const learning = data.view === "learning";
    this.width = this.stage.clientWidth;
    this.stage.hidden = this.note.hidden = data.view === "job";
    if (data.view === "job") {
      this.describe();
      return;
    }
    this.tools.hidden = !learning;
    this.zero.setAttribute("aria-pressed", String(this.switches.zero));
    this.log.setAttribute("aria-pressed", String(this.switches.log));
    this.ahead.setAttribute("aria-pressed", String(this.switches.forecast));
    this.ahead.hidden = !data.forecast;
    this.log.textContent = data.axis ? tr("Log x") : tr("Log labels");
    const narrow = this.width < NARROW;
    const height = learning ? data.height : narrow ? 2 * data.height - 40 : data.height;
    this.stage.style.height = `${height}px`;
    const figure = learning ? learningFigure(this, narrow) : trainingFigure(this, narrow);
    this.empty.hidden = figure !== null;
    this.plot.style.visibility = figure ? "visible" : "hidden";
    this.describe();
    if (!figure) {
      this.empty.textContent = this.status === null ? tr("Loading …") : this.nothing();
      this.note.textContent = "";
      return;
    }
    let library;
    try {
      library = await loadPlotly(data.plotly);
    } catch (error) {
      this.say("lost", tr("The chart cannot be drawn: {error}. Reconnecting …", { error: error.message }));
      setTimeout(() => this.data && this.draw(), 3000);
      return;
    }
    if (!this.data) return;
    figure.layout.width = this.width;
    figure.layout.height = height;
    this.plot.setAttribute("aria-label", figure.label);
    this.summary.textContent = figure.summary;
    await library.react(this.plot, figure.traces, figure.layout, plotConfig());
    this.listen();
    this.drawn = true;
    this.caption();
    if (learning) this.announce();
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.plot.on("plotly_relayout", () => this.data && this.caption());
  }

  nothing() {
    if (this.data.view === "training") {
      return this.data.round === null
        ? tr("No round has been trained yet. Loss and accuracy appear here with the first epoch.")
        : tr("This round has no record of its epochs.");
    }
    if (this.rounds.length) return tr("These rounds have no value for {metric}.", { metric: this.data.metric.title.toLowerCase() });
    return tr("No round has been trained yet. The first point appears when the initial labels are in and the first model is trained.");
  }

  // -- what is said about the drawing -----------------------------------------------------------------

  caption() {
    if (this.data.view !== "learning") {
      const last = this.epochs.at(-1);
      const put = { round: this.epochsRound, seconds: last?.seconds.toFixed(1), steps: last?.steps };
      this.note.textContent = last
        ? trN("Round {round}: {n} epochs, {seconds} s of training, {steps} steps.", "Round {round}: {n} epochs, {seconds} s of training, {steps} steps.", this.epochs.length, put)
        : "";
      return;
    }
    const parts = [];
    const { metric } = this.data;
    if (curve(this, this.rounds).length === 1) {
      parts.push(tr("One round gives one point; a line needs two. Label the next images and train again."));
    }
    const low = this.plot._fullLayout?.yaxis?.range?.[0];
    if (metric.share && low > 0.005) parts.push(tr("The y axis starts at {share} %.", { share: (100 * low).toFixed(0) }));
    if (!metric.higher) parts.push(tr("Lower is better."));
    if (metric.split === "test") parts.push(tr("Test images are fixed; no strategy ever sees them."));
    if (this.data.hasGhost) parts.push(tr("Random starts from the same labels and the same seed. One seed is one draw: indicative only."));
    this.note.textContent = parts.join(" ");
  }

  announce() {
    const last = curve(this, this.rounds).at(-1);
    if (!last) return;
    if (this.announced !== undefined && last.n > this.announced) {
      this.announcer.textContent = tr("Round {round}: {value} with {place}.", { round: last.n, value: number(this, last.y), place: place(this, last.x) });
    }
    this.announced = last.n;
  }
}

