// The choices beside the drawing: tool, size of the brush, colour. Radio buttons, so that browsers bring the keys.

const SIZES = [2, 6, 12, 24]; // Of the brush, in pixels of a 256-pixel picture.

export function addColors(place, { palette, names, labels, source }) {
  // Classes are counted as in the files, from 0.
  const name = (index) => names?.[index] ?? (source.classes ? `Class ${index}` : `Colour ${index + 1}`);
  palette.forEach((hex, index) => place.append(radio("color", hex, `${name(index)}, ${hex}`, hex)));
  document.querySelectorAll("[name=color]")[Math.min(1, palette.length - 1)].checked = true;
  if (labels) return;
  const any = Object.assign(document.createElement("input"), { type: "color", className: "any", value: "#808080" });
  any.title = any.ariaLabel = "Another colour";
  any.addEventListener("input", () => {
    for (const each of document.querySelectorAll("[name=color]")) each.checked = false;
  });
  place.append(any);
}

export function addSizes(place, { width, height }) {
  let scaled = 0;
  for (const pixels of SIZES) {
    scaled = Math.max(scaled + 1, Math.round((pixels * Math.min(width, height)) / 256)); // Each is another one.
    place.append(radio("size", scaled, `${scaled} pixels`, null, scaled));
  }
  document.querySelectorAll("[name=size]")[2].checked = true;
}

export function chosen(name) {
  return document.querySelector(`[name=${name}]:checked`)?.value;
}

export function color() {
  return levels(chosen("color") ?? document.querySelector(".any").value);
}

// Returns words on what is chosen now, or nothing if there is no such choice.
export function choose(name, value) {
  const input = document.querySelector(`[name=${name}][value="${value}"]`);
  if (!input) return null;
  input.checked = true;
  return input.ariaLabel ?? `Tool: ${value}`;
}

export function levels(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

function radio(name, value, label, hex, text = "") {
  const input = Object.assign(document.createElement("input"), { type: "radio", name, value, ariaLabel: label });
  const face = Object.assign(document.createElement("span"), { textContent: text });
  if (hex) face.style.setProperty("--color", hex);
  const both = Object.assign(document.createElement("label"), { title: label });
  both.append(input, face);
  return both;
}
