// Hides a picture that does not load, so that the placeholder shows.
const broken = (image) => image.classList.add("broken");

export function initPictures() {
  // "error" does not bubble, so listen in the capture phase
  document.addEventListener("error", (event) => event.target.matches?.(".picture img") && broken(event.target), true);
  for (const image of document.querySelectorAll(".picture img")) {
    if (image.complete && !image.naturalWidth && image.currentSrc) broken(image);
  }
}
