// Queried images as cards: the picture, what the model guessed then, and what is known of it now. Text only.
function add(parent, tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// three digits, and whole numbers (of images, say) as they are
function short(value) {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

function card(item, data) {
  const figure = document.createElement("figure");
  figure.setAttribute("role", "listitem");
  const frame = add(figure, "div", "frame");
  const image = add(frame, "img", data.pixelated ? "pixelated" : "");
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = item.alt;
  image.addEventListener("error", () => frame.classList.add("broken"), { once: true });
  image.src = item.src;
  if (data.pixelated === null) {
    // nobody said: small pictures keep their pixels, large ones are scaled smoothly
    image.addEventListener("load", () => image.classList.toggle("pixelated", image.naturalWidth <= 64));
  }
  if (item.rank !== null) {
    add(frame, "span", "rank", String(item.rank + 1)).title = tr("place in the order of picking");
  }
  if (item.right !== null) {
    const mark = add(frame, "span", item.right ? "mark right" : "mark wrong", item.right ? "✓" : "✗");
    mark.title = item.right ? tr("the guess was right") : tr("the guess was wrong");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.title);
  }
  const caption = add(figure, "figcaption", "");
  const answer = add(caption, "div", `answer ${item.state}`);
  add(answer, "span", "", item.label).title = item.label;
  for (const mark of item.marks ?? []) add(answer, "span", "said", mark);
  if (item.note) add(caption, "div", "note", item.note).title = item.note;
  if (item.truth) add(caption, "div", "truth", tr("true: {name}", { name: item.truth })).title = item.truth;
  for (const [name, probability] of item.guesses) {
    const guess = add(caption, "div", "guess");
    guess.style.setProperty("--share", `${(100 * probability).toFixed(1)}%`);
    add(guess, "span", "name", name).title = name;
    add(guess, "span", "share", `${Math.round(100 * probability)} %`);
  }
  const score = item.score === null ? [] : [tr("score {score}", { score: short(item.score) })];
  add(caption, "div", "small", item.note ?? [...score, `#${item.id}`].join(" · ")).title = item.scoreWords ?? "";
  return figure;
}

export default function ({ parentElement, data }) {
  const list = parentElement.querySelector(".cards");
  const content = JSON.stringify(data);
  if (list.drawn === content) return;
  list.drawn = content;
  list.replaceChildren(...data.items.map((item) => card(item, data)));
}
