// What the live curve draws: its state in, Plotly traces and layout out, with the words that stand for the picture.
// Joined in front of live_curve.js by pages/components/live_curve.py. Nothing here keeps state or touches the page.

// Names come from people: their tags are shown, never obeyed.
const escapeText = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function base(view) {
  const { text, background, raised, line, font } = view.colors;
  return {
    font: { family: font, size: 13, color: text },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: raised, bordercolor: line, font: { family: font, size: 13, color: text }, namelength: -1 },
    hoverdistance: 40,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: mix(text, background, 0.45), activecolor: text },
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
    uirevision: view.data.experiment,
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
  };
}

function axis(view, more) {
  const { text, background, line } = view.colors;
  return {
    gridcolor: mix(line, background, 0.75),
    linecolor: line,
    zerolinecolor: line,
    tickcolor: line,
    ticks: "outside",
    ticklen: 4,
    showline: true,
    automargin: true,
    tickfont: { color: mix(text, background, 0.8) },
    title: { font: { size: 13, color: mix(text, background, 0.85) }, standoff: 8 },
    ...more,
  };
}

// Over something else than labels the page says where each round lies; a newer round waits for it.
function curve(view, points, places = view.data.axis?.own) {
  const key = view.data.metric.key;
  const [low, high] = BOUNDS[key] ?? [];
  return points
    .filter((p) => Number.isFinite(p.metrics[key]) && (!places || Number.isFinite(places[p.n])))
    .map((p) => ({ n: p.n, x: places ? places[p.n] : p.x, y: p.metrics[key], low: p.metrics[low], high: p.metrics[high] }));
}

// Metrics that come with their interval.
const BOUNDS = { holdback_accuracy: ["holdback_low", "holdback_high"] };

function errorBars(points, color) {
  if (!points.some((p) => Number.isFinite(p.low))) return {};
  const array = points.map((p) => p.high - p.y);
  const arrayminus = points.map((p) => p.y - p.low);
  return { error_y: { type: "data", symmetric: false, array, arrayminus, color, thickness: 1.25, width: 5 } };
}

function learningFigure(view, narrow) {
  const own = curve(view, view.rounds);
  if (!own.length) return null;
  let random = curve(view, view.ghost, view.data.axis?.ghost);
  // Both begin with the same initial labels: until the baseline has trained, the point is shared.
  if (!random.length && view.data.hasGhost) random = own.slice(0, 1);
  const { metric, look } = view.data;
  const style = view.colors.dark ? look.dark : look.light;
  const grey = view.colors.dark ? look.ghostDark : look.ghostLight;
  const value = metric.share ? "%{y:.1%}" : "%{y:.3f}";
  const traces = [];
  if (random.length) {
    traces.push({
      name: tr("Random, same start"),
      uid: "ghost",
      x: random.map((p) => p.x),
      y: random.map((p) => p.y),
      mode: "lines+markers",
      line: { color: grey, width: 2, dash: "dash" },
      marker: { color: grey, size: 7, symbol: "circle-open", line: { width: 1.5 } },
      hovertemplate: tr("random: {value}", { value }) + "<extra></extra>",
    });
  }
  traces.push(...ceilings(view, own, random, value), ...published(view), ...continuation(view, own, style, value));
  traces.push(...relatives(view, value));
  traces.push({
    name: escapeText(view.data.name),
    uid: "own",
    x: own.map((p) => p.x),
    y: own.map((p) => p.y),
    customdata: own.map((p) => comparison(view, p, random)),
    mode: "lines+markers",
    cliponaxis: false,
    ...errorBars(own, style),
    line: { color: style, width: 2.75, dash: look.dash },
    marker: { color: style, size: 9, symbol: look.symbol, line: { color: view.colors.background, width: 1.5 } },
    hovertemplate: `<b>${escapeText(view.data.name)}: ${value}</b>%{customdata}<extra></extra>`,
  });
  const lead = ahead(view, own, random);
  const layout = {
    ...base(view),
    hovermode: narrow ? "closest" : "x unified",
    showlegend: true,
    margin: { l: 56, r: 18, t: 34, b: 48 },
    shapes: [...(lead ? [bracket(view, lead)] : []), ...mark(view, own)],
    annotations: [...(lead ? [bracketText(view, lead)] : []), ...markText(view, own)],
    xaxis: axis(view, {
      type: view.switches.log ? "log" : "linear",
      rangemode: view.switches.log ? "normal" : "tozero",
      uirevision: `x${view.switches.log}${view.data.axis?.title ?? ""}`,
      hoverformat: view.data.axis?.form ?? ",d",
      unifiedhovertitle: { text: hoverTitle(view) },
      nticks: narrow ? 6 : 10,
    }),
    yaxis: axis(view, {
      tickformat: metric.share ? ",.0%" : "",
      rangemode: view.switches.zero ? "tozero" : "normal",
      autorangeoptions: metric.share ? { clipmax: 1.02, clipmin: view.switches.zero ? 0 : -0.001 } : {},
      uirevision: `y${metric.key}${view.switches.zero}`,
      nticks: 8,
    }),
  };
  layout.xaxis.title.text = view.data.axis?.title ?? tr("labeled images");
  layout.yaxis.title.text = narrow ? "" : metricTitle(metric);
  return { traces, layout, label: spoken(view, own, random), summary: table(view, own, random) };
}

function hoverTitle({ data: { axis } }) {
  const place = `%{x:${axis?.form ?? ",d"}}`;
  return axis ? `${place} ${axis.title}` : tr("{place} labeled images", { place });
}

function metricTitle({ title, split }) {
  const titles = {
    test: tr("{metric} on test images", { metric: title }),
    validation: tr("{metric} on validation images", { metric: title }),
  };
  return titles[split] ?? tr("{metric} on {split} images", { metric: title, split });
}

// What training on the whole pool came to, across all that is drawn.
function ceilings(view, own, random, value) {
  const found = view.data.forecast;
  const ahead = found && view.switches.forecast && own.at(-1).x === found.x[0] ? found.x : [];
  const xs = [...[...own, ...random].map((p) => p.x), ...ahead];
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const color = view.colors.dark ? "#dfe7f1" : "#2a3133";
  const dashes = ["dot", "dash", "dashdot", "longdash"];
  return view.data.ceilings.flatMap((line, place) => {
    const level = line.metrics[view.data.metric.key];
    if (!Number.isFinite(level)) return [];
    const name = escapeText(line.name);
    return [
      {
        name,
        uid: `ceiling-${place}`,
        x: [first, last > first ? last : 2 * first],
        y: [level, level],
        mode: "lines",
        line: { color, width: 2, dash: dashes[place % dashes.length] },
        hovertemplate: `${name}: ${value}<extra></extra>`,
      },
    ];
  });
}

// Curves from papers on the same data set: thin and dotted, with their source in the hover text.
function published(view) {
  if (view.data.metric.key !== "test_accuracy") return [];
  return (view.data.published ?? []).flatMap((fit, group) =>
    fit.curves.map((line, place) => {
      const color = view.colors.dark ? line.dark : line.light;
      return {
        name: escapeText(fit.title),
        uid: `published-${group}-${place}`,
        legendgroup: `published-${group}`,
        showlegend: place === 0,
        x: line.points.map(([labels]) => labels),
        y: line.points.map(([, value]) => value),
        mode: "lines+markers",
        opacity: 0.75,
        line: { color, width: 1.2, dash: "dot" },
        marker: { color, size: 7, symbol: "line-ns-open" },
        hovertemplate: `${escapeText(line.name)}: %{y:.1%}<br>${escapeText(fit.source)}<extra></extra>`,
      };
    }),
  );
}

// Forks of this session, its parent and siblings: thinner, each from where it leaves a line that is drawn. What was
// trained once is points, and no line.
function relatives(view, value) {
  return (view.data.family ?? []).map((kin) => {
    const points = curve(view, kin.points, null);
    const color = view.colors.dark ? kin.dark : kin.light;
    return {
      name: escapeText(kin.name),
      uid: `kin-${kin.id}`,
      x: points.map((p) => p.x),
      y: points.map((p) => p.y),
      mode: kin.once ? "markers" : "lines+markers",
      opacity: kin.once ? 1 : 0.8,
      line: { color, width: 1.5, dash: kin.dash === "solid" ? "dashdot" : kin.dash },
      marker: { color, size: kin.once ? 12 : 6, symbol: kin.symbol },
      hovertemplate: `${escapeText(kin.name)}: ${value}<extra></extra>`,
    };
  });
}

// The round that is looked at, where it is not simply the latest.
function marked(view, own) {
  return view.data.marked === null || view.data.marked === undefined ? undefined : own.find((p) => p.n === view.data.marked);
}

function mark(view, own) {
  const point = marked(view, own);
  if (!point) return [];
  const line = { color: mix(view.colors.text, view.colors.background, 0.55), width: 1.5, dash: "dot" };
  return [{ type: "line", x0: point.x, x1: point.x, yref: "paper", y0: 0, y1: 1, line, layer: "below", name: "marked" }];
}

function markText(view, own) {
  const point = marked(view, own);
  if (!point) return [];
  const x = view.switches.log ? Math.log10(point.x) : point.x;
  const place = { x, xanchor: "left", xshift: 5, yref: "paper", y: 0.02, yanchor: "bottom" };
  return [{ ...place, showarrow: false, text: tr("round {round}", { round: point.n }), font: { size: 12, color: view.colors.text } }];
}

// The forecast that was made of these rounds, dashed, with its band; a newer round makes it wait for the next one.
function continuation(view, own, style, value) {
  const found = view.data.forecast;
  if (!found || own.at(-1).x !== found.x[0] || !view.switches.forecast) return [];
  const [r, g, b] = channels(style);
  const [low, high] = ["customdata[0]", "customdata[1]"].map((end) => value.replace("y", end));
  const band = tr("forecast: {value} ({low} to {high})", { value, low, high });
  return [
    {
      uid: "forecast-band",
      x: [...found.x, ...[...found.x].reverse()],
      y: [...found.high, ...[...found.low].reverse()],
      mode: "lines",
      line: { width: 0 },
      fill: "toself",
      fillcolor: `rgba(${r},${g},${b},0.13)`,
      hoverinfo: "skip",
      showlegend: false,
      legendgroup: "forecast",
    },
    {
      name: tr("Forecast, 95 %"),
      uid: "forecast",
      legendgroup: "forecast",
      x: found.x,
      y: found.y,
      customdata: found.x.map((_, i) => [found.low[i], found.high[i]]),
      mode: "lines",
      line: { color: style, width: 1.75, dash: "dash" },
      hovertemplate: `${band}<extra></extra>`,
    },
  ];
}

function comparison(view, point, random) {
  const theirs = between(random, point.x);
  const lines = ["", tr("round {round}", { round: point.n })];
  if (theirs !== null) lines.splice(1, 0, tr("{gap} against random", { gap: gap(view, point.y - theirs) }));
  return lines.join("<br>");
}

// How many labels earlier the better curve had the value that the other has at the end.
function ahead(view, own, random) {
  if (own.length < 2 || random.length < 2 || !view.data.metric.higher) return null;
  const x = Math.min(own.at(-1).x, random.at(-1).x);
  const mine = between(own, x);
  const theirs = between(random, x);
  if (mine === null || theirs === null || mine <= theirs) return null;
  const first = reach(own, theirs);
  const least = view.data.axis ? 0.01 * x : 1;
  return first !== null && x - first >= least ? { from: first, to: x, y: theirs, labels: place(view, x - first) } : null;
}

function bracket(view, ahead) {
  const color = view.colors.dark ? view.data.look.dark : view.data.look.light;
  const line = { color, width: 1.5, dash: "dot" };
  return { type: "line", x0: ahead.from, x1: ahead.to, y0: ahead.y, y1: ahead.y, line, layer: "below" };
}

function bracketText(view, ahead) {
  // Left of the point where the curve first comes so high, nothing else can be.
  return {
    x: view.switches.log ? Math.log10(ahead.from) : ahead.from,
    y: ahead.y,
    xanchor: "right",
    yanchor: "middle",
    xshift: -10,
    showarrow: false,
    text: tr("{labels} ahead", { labels: ahead.labels }),
    font: { size: 12, color: view.colors.dark ? view.data.look.dark : view.data.look.light },
  };
}

function trainingFigure(view, narrow) {
  if (!view.epochs.length) return null;
  const { look } = view.data;
  const style = view.colors.dark ? look.dark : look.light;
  const other = view.colors.dark ? "#eba55a" : "#c8741a";
  const x = view.epochs.map((e) => e.epoch + 1);
  const mode = view.epochs.length < 40 ? "lines+markers" : "lines";
  const trace = (field, name, color, dash, axis) => ({
    name,
    uid: field,
    legendgroup: name,
    showlegend: axis === "",
    x,
    y: view.epochs.map((e) => e[field]),
    mode,
    line: { color, width: 2.25, dash },
    marker: { color, size: 5, symbol: dash === "solid" ? "circle" : "diamond" },
    xaxis: `x${axis}`,
    yaxis: `y${axis}`,
    hovertemplate: `${name}: %{y:${field.endsWith("loss") ? ".4f" : ".1%"}}<extra></extra>`,
  });
  const traces = [
    trace("loss", tr("training images"), style, "solid", ""),
    trace("accuracy", tr("training images"), style, "solid", "2"),
  ];
  if (view.epochs.some((e) => e.validation_loss !== null || e.validation_accuracy !== null)) {
    traces.push(trace("validation_loss", tr("validation images"), other, "dash", ""));
    traces.push(trace("validation_accuracy", tr("validation images"), other, "dash", "2"));
  }
  const last = Math.max(x.at(-1), expected(view));
  const range = [0.5, Math.max(last, 2) + 0.5];
  const across = (number) => (narrow ? [0, 1] : number ? [0.55, 1] : [0, 0.45]);
  const down = (number) => (narrow ? (number ? [0, 0.42] : [0.58, 1]) : [0, 1]);
  const xaxis = (number) =>
    axis(view, { domain: across(number), anchor: `y${number || ""}`, range, nticks: 8, tickformat: "d", hoverformat: "d" });
  const yaxis = (number, more) => axis(view, { domain: down(number), anchor: `x${number || ""}`, nticks: 7, ...more });
  const layout = {
    ...base(view),
    uirevision: `${view.data.experiment}/${view.epochsRound}`,
    hovermode: "x unified",
    showlegend: traces.length > 2,
    margin: { l: 56, r: 18, t: 40, b: 48 },
    legend: { ...base(view).legend, y: narrow ? 1.06 : 1.1 },
    xaxis: xaxis(0),
    yaxis: yaxis(0, { rangemode: "tozero" }),
    xaxis2: xaxis(2),
    yaxis2: yaxis(2, { tickformat: ",.0%", range: [0, 1.02] }),
    annotations: [heading(tr("Loss"), across(0)[0], down(0)[1]), heading(tr("Accuracy"), across(2)[0], down(2)[1])],
  };
  layout.xaxis.title.text = narrow ? "" : tr("epoch");
  layout.xaxis2.title.text = tr("epoch");
  const end = view.epochs.at(-1);
  const loss = end.loss?.toFixed(3) ?? tr("unknown");
  const share = (100 * end.accuracy).toFixed(1);
  const accuracy = end.accuracy === null ? tr("unknown") : tr("{share} per cent", { share });
  const put = { round: view.epochsRound, epochs: view.epochs.length, loss, accuracy };
  const label = tr("Round {round}, {epochs} epochs: training loss {loss}, training accuracy {accuracy}.", put);
  return { traces, layout, label, summary: "" };
}

function heading(text, x, y) {
  const place = { xref: "paper", yref: "paper", x, y, xanchor: "left", yanchor: "bottom" };
  return { text: `<b>${text}</b>`, showarrow: false, font: { size: 13 }, ...place };
}

function expected(view) {
  const here = view.active() && view.job.round === view.epochsRound;
  return here && Number.isInteger(view.job.epochs) ? view.job.epochs : 0;
}

function number(view, value) {
  if (value === null || value === undefined) return "–";
  return view.data.metric.share ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
}

function gap(view, value) {
  const sign = value < 0 ? "−" : "+";
  return view.data.metric.share
    ? tr("{change} points", { change: `${sign}${Math.abs(100 * value).toFixed(1)}` })
    : `${sign}${Math.abs(value).toFixed(3)}`;
}

// A place or a distance on the x axis, in words.
function place(view, x) {
  const axis = view.data.axis;
  if (!axis) return trN("{n} labels", "{n} labels", Math.round(x));
  const digits = Number(axis.form.match(/\d/)?.[0] ?? 0);
  return `${x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${axis.unit}`;
}

function spoken(view, own, random) {
  const last = own.at(-1);
  const theirs = between(random, last.x);
  const put = {
    metric: view.data.metric.title,
    axis: view.data.axis?.title ?? tr("labeled images"),
    rounds: own.length,
    value: number(view, last.y),
    place: place(view, last.x),
  };
  if (theirs === null) return tr("{metric} against {axis}. {rounds} rounds; the last: {value} with {place}.", put);
  put.gap = gap(view, last.y - theirs);
  return tr("{metric} against {axis}. {rounds} rounds; the last: {value} with {place}, {gap} against random.", put);
}

function table(view, own, random) {
  return own
    .map((p) => {
      const theirs = between(random, p.x);
      const put = { round: p.n, place: place(view, p.x), value: number(view, p.y) };
      if (theirs === null) return tr("Round {round}: {place}, {value}.", put);
      return tr("Round {round}: {place}, {value}, random {other}.", { ...put, other: number(view, theirs) });
    })
    .join(" ");
}

// What the library itself says with these buttons; it looks each text up by its English, as tr does.
function libraryWords() {
  return {
    "Download plot as a PNG": tr("Download plot as a PNG"),
    "Preparing image - this may take a few seconds": tr("Preparing image - this may take a few seconds"),
    "Image download succeeded": tr("Image download succeeded"),
    "Sorry, there was a problem downloading your image!": tr("Sorry, there was a problem downloading your image!"),
    Zoom: tr("Zoom"),
    Pan: tr("Pan"),
    "Reset axes": tr("Reset axes"),
    "Double-click to zoom back out": tr("Double-click to zoom back out"),
  };
}

// The buttons are named one by one: the library's own set has one that sends the chart to its maker's servers.
function plotConfig() {
  const touch = window.matchMedia("(pointer: coarse)").matches;
  return {
    displaylogo: false,
    locale: "askwell",
    locales: { askwell: { dictionary: libraryWords() } },
    responsive: false,
    displayModeBar: touch ? false : "hover",
    doubleClick: "reset+autosize",
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]],
    toImageButtonOptions: { filename: "learning-curve", scale: 2 },
  };
}

// The value of a line of points at x, or null outside of it.
function between(points, x) {
  if (!points.length || x < points[0].x || x > points.at(-1).x) return null;
  const right = points.findIndex((p) => p.x >= x);
  if (points[right].x === x) return points[right].y;
  const [a, b] = [points[right - 1], points[right]];
  return a.y + ((x - a.x) / (b.x - a.x)) * (b.y - a.y);
}

// The first x at which a line of points reaches y, or null.
function reach(points, y) {
  const at = points.findIndex((p) => p.y >= y);
  if (at <= 0) return at === 0 ? points[0].x : null;
  const [a, b] = [points[at - 1], points[at]];
  return a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
}

function channels(color) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = color;
  const text = probe.fillStyle;
  if (text.startsWith("#")) return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
  return (text.match(/[\d.]+/g) ?? ["128", "128", "128"]).slice(0, 3).map(Number);
}

function mix(color, other, share) {
  const [a, b] = [channels(color), channels(other)];
  return `rgb(${a.map((value, i) => Math.round(share * value + (1 - share) * b[i])).join(",")})`;
}

function isDark(color) {
  const [r, g, b] = channels(color);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
