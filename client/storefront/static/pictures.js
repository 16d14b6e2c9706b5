// A picture that does not load leaves its place to the placeholder beneath it.
const broken = (image) => image.classList.add("broken");

export function initPictures() {
  // "error" does not bubble, but it can be caught on its way down
  document.addEventListener("error", (event) => event.target.matches?.(".picture img") && broken(event.target), true);
  for (const image of document.querySelectorAll(".picture img")) {
    if (image.complete && !image.naturalWidth && image.currentSrc) broken(image);
  }
}
