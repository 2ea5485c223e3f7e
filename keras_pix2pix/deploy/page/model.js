// The .tflite file, run by LiteRT.js: on the graphics card where that gives the right picture, else on the processor.

import { nearest } from "./pictures.js";

const FILES = "./node_modules/@litertjs/core/";
const IDENTIFIER = "TFL3"; // Bytes 4 to 7 of every .tflite file.
// What one picture may differ by from the Keras model's: rounding is far below, a wrong result far above.
const LEVELS = 16;
const LEAST_AGREEING = 0.95;

export class Model {
  // `check`: {source, expected}, RGBA pixels.
  static async load(settings, check, report) {
    if (typeof WebAssembly !== "object") {
      throw new Error("This browser has no WebAssembly, which the model runs on. Use a current one, or allow it.");
    }
    const file = await download(settings.model, report);
    report("Starting the model");
    const runtime = await import("@litertjs/core").catch(() => {
      throw missingRuntime();
    });
    const wanted = new URLSearchParams(location.search).get("device");
    for (const start of { webgpu: [onGraphicsCard], wasm: [onProcessor] }[wanted] ?? [onGraphicsCard, onProcessor]) {
      const started = await start(runtime, file, wanted);
      if (!started) continue;
      const model = new Model(settings, runtime, started);
      if (await model.agrees(check).catch(() => false)) return model;
      started.compiled.delete();
      runtime.unloadLiteRt();
    }
    throw new Error("The model does not give the picture here that it gave where it was exported. Use another browser.");
  }

  constructor(settings, runtime, { compiled, device }) {
    Object.assign(this, { settings, runtime, compiled, device });
  }

  // RGBA pixels in, RGBA pixels out; as long as it takes.
  async translate(rgba) {
    const { image_size: [height, width], source, target } = this.settings;
    const input = new this.runtime.Tensor(pack(rgba, source), [1, height, width, source.channels]);
    const outputs = await this.compiled.run(input);
    const generated = await outputs[0].data();
    const shown = unpack(generated, target, width * height);
    for (const tensor of [input, ...outputs]) tensor.delete();
    return shown;
  }

  async agrees(check) {
    const generated = await this.translate(check.source);
    // Without transparency, which is the fourth of each four.
    const far = generated.filter((level, at) => at % 4 < 3 && Math.abs(level - check.expected[at]) > LEVELS).length;
    return far <= (1 - LEAST_AGREEING) * generated.length;
  }
}

async function onGraphicsCard(runtime, file, wanted) {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  // A fallback adapter is the processor in disguise, and slower.
  if (!adapter || (adapter.info?.isFallbackAdapter && !wanted)) return null;
  try {
    // The variant that can leave single operators to the processor.
    await runtime.loadLiteRt(`${FILES}wasm/`, { jspi: await runtime.supportsFeature("jspi") });
    return { compiled: await runtime.loadAndCompile(file, { accelerator: "webgpu" }), device: "WebGPU" };
  } catch {
    if (runtime.getGlobalLiteRtPromise()) runtime.unloadLiteRt();
    return null;
  }
}

async function onProcessor(runtime, file) {
  const threads = self.crossOriginIsolated && (await runtime.supportsFeature("threads"));
  try {
    await runtime.loadLiteRt(`${FILES}wasm/`, { threads });
  } catch {
    throw missingRuntime();
  }
  try {
    const compiled = await runtime.loadAndCompile(file, { accelerator: "wasm" });
    return { compiled, device: threads ? "WebAssembly with threads" : "WebAssembly" };
  } catch {
    throw new Error("The model file is broken: LiteRT.js can't load it. Export the page again.");
  }
}

function missingRuntime() {
  return new Error("LiteRT.js is not beside this page. Run `npm install` in its folder, and load it again.");
}

async function download(url, report) {
  // The page's name is the user's, and may hold what addresses use otherwise: # ? %.
  const response = await fetch(encodeURIComponent(url)).catch(() => null);
  if (!response?.ok) throw new Error(`The model, ${url}, is missing. Export the page again.`);
  const total = Number(response.headers.get("Content-Length"));
  const parts = [];
  let received = 0;
  for await (const part of chunks(response.body)) {
    parts.push(part);
    received += part.length;
    report(`Loading the model, ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ""} MB`);
  }
  const file = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (new TextDecoder().decode(file.subarray(4, 8)) !== IDENTIFIER) {
    throw new Error(`The model, ${url}, is no .tflite file. Export the page again.`);
  }
  return file;
}

// Safari's streams are not iterable.
async function* chunks(stream) {
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
}

// RGBA as the file takes it: class indices, one gray channel, RGB or RGBA.
function pack(rgba, { channels, classes }) {
  const packed = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += channels) {
    if (classes) packed[to] = nearest(rgba, from, classes);
    else if (channels === 1) packed[to] = 0.299 * rgba[from] + 0.587 * rgba[from + 1] + 0.114 * rgba[from + 2] + 0.5;
    else for (let channel = 0; channel < channels; channel++) packed[to + channel] = rgba[from + channel];
  }
  return packed;
}

function unpack(packed, { channels, classes }, pixels) {
  const rgba = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    const color = classes ? classes[packed[from]] : packed.subarray(from, from + channels);
    for (let channel = 0; channel < Math.max(3, color.length); channel++) {
      rgba[to + channel] = color[color.length < 3 ? 0 : channel];
    }
  }
  return rgba;
}
