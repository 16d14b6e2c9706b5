// Creates an icon from the sprite that templates use.
const SPRITE = new URL("icons.svg", import.meta.url).href;

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", "16");
  svg.setAttribute("height", "16");
  svg.setAttribute("aria-hidden", "true");
  svg.append(Object.assign(document.createElementNS(svg.namespaceURI, "use")));
  svg.firstChild.setAttribute("href", `${SPRITE}#${name}`);
  return svg;
}
