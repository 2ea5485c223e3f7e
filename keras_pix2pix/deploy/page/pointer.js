// Drawing with the mouse, a pen or a finger.

export function listenToPointer(canvas, hand) {
  let stroke = null; // {x, y}: where a rectangle began, or where the brush is.

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    const { x, y } = at(event);
    if (hand.chosen("tool") === "fill") return hand.change("fill", x, y, hand.color());
    hand.begin();
    stroke = { x, y };
    goOn(stroke);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    // While the model runs, moves pile up into one event.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) goOn(at(move));
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (stroke = null));

  function goOn({ x, y }) {
    if (hand.chosen("tool") === "rectangle") {
      hand.drawing.restart();
      hand.drawing.rectangle(stroke.x, stroke.y, x, y, hand.color());
    } else {
      hand.drawing.line(stroke.x, stroke.y, x, y, Number(hand.chosen("size")), hand.color());
      stroke = { x, y };
    }
    hand.translate();
  }

  // From the page's pixels to the picture's, which it shows larger or smaller.
  function at({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    return {
      x: Math.floor(((clientX - box.left) / box.width) * hand.size.width),
      y: Math.floor(((clientY - box.top) / box.height) * hand.size.height),
    };
  }
}
