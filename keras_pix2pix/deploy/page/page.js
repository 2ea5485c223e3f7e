// The page: what is drawn or loaded goes through the model, and the answer is shown, as fast as it comes.

import { addColors, addSizes, choose, chosen, color, levels } from "./choices.js";
import { Drawing } from "./drawing.js";
import { listenToKeyboard } from "./keyboard.js";
import { Model } from "./model.js";
import { cameraFrame, readPicture, snapToColors, startCamera, stopCamera } from "./pictures.js";
import { listenToPointer } from "./pointer.js";

const find = (id) => document.getElementById(id);
const source = find("source").getContext("2d", { willReadFrequently: true });
const generated = find("generated").getContext("2d", { willReadFrequently: true });
const video = document.createElement("video");
Object.assign(video, { muted: true, playsInline: true });

let settings, drawing, model, size, palette;
let wanted = false;
let running = false;

main().catch(showProblem);

async function main() {
  hideProblem(); // The words for browsers that run no scripts.
  const response = await fetch("settings.json").catch(() => null);
  if (!response?.ok) throw new Error("settings.json is missing beside this page. Export the page again.");
  settings = await response.json().catch(() => {
    throw new Error("settings.json is broken. Export the page again.");
  });
  const [height, width] = settings.image_size;
  size = { width, height };
  for (const { canvas } of [source, generated]) Object.assign(canvas, size);
  find("studio").style.setProperty("--aspect", width / height);
  for (const side of [settings.source, settings.target]) side.classes = side.classes?.map(levels);
  palette = settings.palette.map(levels);
  drawing = new Drawing(width, height, levels(settings.background));
  addColors(find("palette"), settings);
  addSizes(find("sizes"), size);
  addSamples();
  const [first, expected] = await Promise.all([settings.check.source, settings.check.expected].map(readExactly));
  drawing.replace(first);
  show(source, first);
  model = await Model.load(settings, { source: first, expected }, say);
  listen();
  find("studio").inert = false;
  find("about").textContent = `${settings.model}, ${settings.quantization}, on ${model.device}.`;
  say("Ready");
  await translate();
}

// --- From the drawing to the answer ---------------------------------------------------------------------------------

// While one picture is in the making, only the newest wish waits.
async function translate() {
  show(source, drawing.image.data);
  find("undo").disabled = drawing.earlier.length === 0;
  wanted = true;
  if (running) return;
  setRunning(true);
  try {
    while (wanted) {
      wanted = false;
      await new Promise(requestAnimationFrame); // The pointer comes first.
      const began = performance.now();
      show(generated, await model.translate(drawing.image.data));
      find("time").textContent = `${(performance.now() - began).toFixed(0)} ms`;
      if (video.srcObject) await nextFrame();
    }
  } catch (error) {
    showProblem(new Error(`The model failed: ${error.message ?? error}. Load the page again.`));
  } finally {
    setRunning(false);
  }
}

function setRunning(value) {
  running = value;
  generated.canvas.ariaBusy = String(value);
}

async function nextFrame() {
  drawing.replace(snapped(await cameraFrame(video, size, !settings.labels)));
  show(source, drawing.image.data);
  wanted = true;
}

function snapped(data) {
  if (settings.labels) snapToColors(data, palette);
  return data;
}

function show(context, data) {
  context.putImageData(new ImageData(new Uint8ClampedArray(data), size.width, size.height), 0, 0);
}

function readExactly(url) {
  return readPicture(url, size, false);
}

function begin() {
  endCamera();
  drawing.remember();
}

function change(what, ...values) {
  begin();
  drawing[what](...values);
  translate();
}

async function open(file, spoken) {
  try {
    const data = snapped(await readPicture(file, size, !settings.labels));
    hideProblem();
    change("replace", data);
    say(spoken);
  } catch (error) {
    showProblem(error);
  }
}

// --- Controls -------------------------------------------------------------------------------------------------------

function listen() {
  const hand = { size, drawing, begin, change, translate, chosen, color, pick, undo, say };
  listenToPointer(source.canvas, hand);
  listenToKeyboard(source.canvas, find("cursor"), hand);

  find("undo").addEventListener("click", undo);
  find("clear").addEventListener("click", () => {
    change("clear");
    say("Cleared");
  });
  find("file").addEventListener("change", ({ target }) => {
    if (target.files.length) open(target.files[0], "Picture loaded");
    target.value = ""; // So that the same file can be chosen again.
  });
  find("camera").addEventListener("click", toggleCamera);
  find("save").addEventListener("click", save);

  // Dropped anywhere: beside the frame, the browser would leave the page for the picture.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    find("drop").classList.add("over");
  });
  document.addEventListener("dragleave", () => find("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    find("drop").classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) open(file, "Picture loaded");
  });
}

function addSamples() {
  settings.samples.forEach((url, index) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(Object.assign(new Image(), { src: url, alt: `Sample ${index + 1}`, loading: "lazy" }));
    button.addEventListener("click", () => open(url, `Sample ${index + 1} loaded`));
    find("samples").append(button);
  });
}

function pick(name, value) {
  const words = choose(name, value);
  if (words) say(words);
}

function undo() {
  if (!drawing.earlier.length) return;
  endCamera();
  drawing.undo();
  translate();
  say("Undone");
}

function save() {
  generated.canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { download: "generated.png" });
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say("Saved as generated.png");
  });
}

async function toggleCamera() {
  if (video.srcObject) return endCamera();
  try {
    await startCamera(video);
    drawing.remember();
    find("camera").setAttribute("aria-pressed", "true");
    say("Camera on");
    translate();
  } catch (error) {
    showProblem(error);
  }
}

function endCamera() {
  if (!video.srcObject) return;
  stopCamera(video);
  find("camera").setAttribute("aria-pressed", "false");
  say("Camera off");
}

// --- Words ----------------------------------------------------------------------------------------------------------

function say(text) {
  find("status").textContent = text;
}

function showProblem(error) {
  find("problem").className = "";
  find("problem").hidden = false;
  find("problem").textContent = error.message;
  find("problem").scrollIntoView({ block: "nearest" });
  say("");
}

function hideProblem() {
  find("problem").hidden = true;
}
