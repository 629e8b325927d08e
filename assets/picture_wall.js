// A wall of small pictures, each with its class as text. Nothing to click.
export default function ({ parentElement, data }) {
  const wall = parentElement.querySelector(".host");
  const content = JSON.stringify(data);
  if (wall.dataset.drawn === content) return;
  wall.dataset.drawn = content;
  wall.style.setProperty("--cell", `${data.cell}px`);
  wall.classList.toggle("pixelated", data.pixelated);
  wall.classList.toggle("one-row", data.oneRow);
  wall.classList.toggle("few", data.few);
  wall.replaceChildren(
    ...data.items.map(({ src, caption }) => {
      const figure = document.createElement("figure");
      const image = document.createElement("img");
      image.loading = "lazy";
      image.decoding = "async";
      image.alt = caption;
      image.src = src;
      figure.append(image);
      if (data.captions) {
        const words = document.createElement("figcaption");
        words.textContent = caption;
        words.title = caption;
        figure.append(words);
      }
      return figure;
    }),
  );
}
