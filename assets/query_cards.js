// Queried images as cards: the picture, what the model guessed then, and what is known of it now. Text only.
function add(parent, tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
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
  add(frame, "span", "rank", String(item.rank + 1)).title = "place in the order of picking";
  if (item.right !== null) {
    const mark = add(frame, "span", item.right ? "mark right" : "mark wrong", item.right ? "✓" : "✗");
    mark.title = item.right ? "the guess was right" : "the guess was wrong";
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.title);
  }
  const caption = add(figure, "figcaption", "");
  const answer = add(caption, "div", `answer ${item.state}`);
  add(answer, "span", "", item.label).title = item.label;
  if (item.truth) add(caption, "div", "truth", `true: ${item.truth}`).title = item.truth;
  for (const [name, probability] of item.guesses) {
    const guess = add(caption, "div", "guess");
    guess.style.setProperty("--share", `${(100 * probability).toFixed(1)}%`);
    add(guess, "span", "name", name).title = name;
    add(guess, "span", "share", `${Math.round(100 * probability)} %`);
  }
  add(caption, "div", "small", item.score === null ? `#${item.id}` : `score ${item.score.toFixed(3)} · #${item.id}`);
  return figure;
}

export default function ({ parentElement, data }) {
  const list = parentElement.querySelector(".cards");
  const content = JSON.stringify(data);
  if (list.drawn === content) return;
  list.drawn = content;
  list.replaceChildren(...data.items.map((item) => card(item, data)));
}
