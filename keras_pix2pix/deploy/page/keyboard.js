// Drawing with a cursor that the arrow keys move, and keys for the tools.

const STEP = 8; // Pixels.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOLS = { r: "rectangle", b: "brush", f: "fill" };

export function listenToKeyboard(canvas, mark, hand) {
  const { size } = hand;
  let cursor = null; // {x, y}
  let corner = null; // Where a rectangle began.

  document.addEventListener("keydown", pressShortcut);
  canvas.addEventListener("keydown", draw);
  for (const end of ["blur", "pointerdown"]) canvas.addEventListener(end, hide);

  function draw(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) move(ARROWS[event.key], event.shiftKey ? 1 : STEP);
    else if (event.key === " " || event.key === "Enter") press();
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  }

  function move([across, down], step) {
    cursor ??= middle();
    cursor.x = Math.min(size.width - 1, Math.max(0, cursor.x + across * step));
    cursor.y = Math.min(size.height - 1, Math.max(0, cursor.y + down * step));
    show();
    hand.say(`${cursor.x} across, ${cursor.y} down`);
  }

  function press() {
    cursor ??= middle();
    const { x, y } = cursor;
    const tool = hand.chosen("tool");
    if (tool === "fill") hand.change("fill", x, y, hand.color());
    else if (tool === "brush") hand.change("line", x, y, x, y, Number(hand.chosen("size")), hand.color());
    else if (corner) hand.change("rectangle", corner.x, corner.y, x, y, hand.color());
    corner = tool === "rectangle" && !corner ? { x, y } : null;
    show();
    hand.say(corner ? "First corner. Move on, and press space again." : "Drawn");
  }

  function show() {
    const from = corner ?? cursor;
    const percent = (pixels, whole) => `${(100 * pixels) / whole}%`;
    Object.assign(mark.style, {
      left: percent(Math.min(from.x, cursor.x), size.width),
      top: percent(Math.min(from.y, cursor.y), size.height),
      width: percent(Math.abs(from.x - cursor.x) + 1, size.width),
      height: percent(Math.abs(from.y - cursor.y) + 1, size.height),
    });
    mark.hidden = false;
  }

  function hide() {
    cursor = corner = null;
    mark.hidden = true;
  }

  function middle() {
    return { x: size.width >> 1, y: size.height >> 1 };
  }

  function pressShortcut(event) {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z") {
      event.preventDefault();
      return hand.undo();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (TOOLS[key]) hand.pick("tool", TOOLS[key]);
    else if (/^[1-9]$/.test(key)) hand.pick("color", document.querySelectorAll("[name=color]")[key - 1]?.value);
    else if (key === "[" || key === "]") pickNextSize(key === "]" ? 1 : -1);
  }

  function pickNextSize(step) {
    const sizes = [...document.querySelectorAll("[name=size]")];
    const next = sizes[sizes.findIndex((each) => each.checked) + step];
    if (next) hand.pick("size", next.value);
  }
}
