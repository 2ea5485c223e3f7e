// The source in the making: pixels without smooth edges, as label maps are, and the way back.

const MOST_UNDO_BYTES = 64 * 2 ** 20;

export class Drawing {
  constructor(width, height, background) {
    this.image = new ImageData(width, height);
    this.background = background;
    this.earlier = [];
    this.rectangle(0, 0, width - 1, height - 1, background);
  }

  // Before each change that "undo" takes back.
  remember() {
    const { data } = this.image;
    this.earlier.push(data.slice());
    if (this.earlier.length * data.length > MOST_UNDO_BYTES) this.earlier.shift();
  }

  undo() {
    if (this.earlier.length) this.image.data.set(this.earlier.pop());
  }

  // While something is drawn with the pointer: back to its beginning.
  restart() {
    this.image.data.set(this.earlier.at(-1));
  }

  clear() {
    this.rectangle(0, 0, this.image.width - 1, this.image.height - 1, this.background);
  }

  replace(data) {
    this.image.data.set(data);
  }

  // Both corners are inside.
  rectangle(x0, y0, x1, y1, color) {
    const { width, height } = this.image;
    const [left, right] = [Math.max(0, Math.min(x0, x1)), Math.min(width - 1, Math.max(x0, x1))];
    const [top, bottom] = [Math.max(0, Math.min(y0, y1)), Math.min(height - 1, Math.max(y0, y1))];
    for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) this.#paint(y * width + x, color);
  }

  // A round brush from one point to another.
  line(x0, y0, x1, y1, size, color) {
    const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0)));
    for (let step = 0; step <= steps; step++) {
      this.#dot(x0 + ((x1 - x0) * step) / steps, y0 + ((y1 - y0) * step) / steps, size / 2, color);
    }
  }

  // Every pixel of one colour that hangs together with this one.
  fill(x, y, color) {
    const { width, height, data } = this.image;
    const words = new Uint32Array(data.buffer);
    const old = words[y * width + x];
    this.#paint(y * width + x, color);
    const fresh = words[y * width + x];
    if (old === fresh) return;
    const open = [y * width + x];
    while (open.length) {
      const at = open.pop();
      const column = at % width;
      const neighbours = [
        column > 0 ? at - 1 : -1,
        column < width - 1 ? at + 1 : -1,
        at - width,
        at < (height - 1) * width ? at + width : -1,
      ];
      for (const next of neighbours) {
        if (next >= 0 && words[next] === old) {
          words[next] = fresh;
          open.push(next);
        }
      }
    }
  }

  #dot(x, y, radius, color) {
    const { width, height } = this.image;
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(height - 1, y + radius); row++) {
      for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(width - 1, x + radius); column++) {
        if (Math.hypot(column - x, row - y) <= radius) this.#paint(row * width + column, color);
      }
    }
  }

  #paint(at, [red, green, blue]) {
    this.image.data.set([red, green, blue, 255], 4 * at);
  }
}
