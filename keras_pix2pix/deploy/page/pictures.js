// Pictures from files and from the camera, as pixels of the model's size.

// As many as `translate` takes in one piece; decoded, 128 MB.
const MOST_PIXELS = 2 ** 25;
const MOST_BYTES = 64 * 2 ** 20;

// The pixels of a file or of a URL, cut to the model's proportions and resized.
export async function readPicture(source, size, smooth) {
  if (source.size > MOST_BYTES) {
    throw new Error(`${source.name} is too large. Accepted: up to ${MOST_BYTES / 2 ** 20} MB.`);
  }
  const url = typeof source === "string" ? source : URL.createObjectURL(source);
  const name = typeof source === "string" ? source : source.name;
  try {
    // An <img> reads the header and leaves the pixels until they are asked for.
    const picture = await loadImage(url).catch(() => {
      throw new Error(`${name} can't be read as a picture. Accepted: what this browser shows, such as PNG or JPEG.`);
    });
    const [width, height] = [picture.naturalWidth, picture.naturalHeight];
    if (width * height > MOST_PIXELS) {
      throw new Error(`${name} is too large, ${width} x ${height} pixels. Accepted: up to ${MOST_PIXELS} in all.`);
    }
    try {
      return await cutAndResize(picture, width, height, size, smooth);
    } catch {
      throw new Error(`${name} can't be decoded. The file may be damaged.`);
    }
  } finally {
    if (typeof source !== "string") URL.revokeObjectURL(url);
  }
}

export async function startCamera(video) {
  if (!navigator.mediaDevices) {
    throw new Error("There is no camera for this page. Browsers lend theirs to https and to localhost only.");
  }
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    throw new Error(`The camera can't be used: ${error.message}. Allow it in the browser's settings.`);
  }
  await video.play();
}

export function stopCamera(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

export function cameraFrame(video, size, smooth) {
  return cutAndResize(video, video.videoWidth, video.videoHeight, size, smooth);
}

// Every pixel as the nearest of the colours.
export function snapToColors(data, colors) {
  for (let at = 0; at < data.length; at += 4) data.set(colors[nearest(data, at, colors)], at);
}

export function nearest(data, at, colors) {
  let best = 0;
  let least = Infinity;
  colors.forEach(([red, green, blue], index) => {
    const distance = (data[at] - red) ** 2 + (data[at + 1] - green) ** 2 + (data[at + 2] - blue) ** 2;
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}

async function loadImage(url) {
  const picture = new Image();
  const ended = new Promise((resolve, reject) => Object.assign(picture, { onload: resolve, onerror: reject }));
  picture.src = url;
  await ended;
  return picture;
}

async function cutAndResize(picture, width, height, size, smooth) {
  const scale = Math.min(width / size.width, height / size.height);
  const [across, down] = [size.width * scale, size.height * scale];
  const bitmap = await createImageBitmap(
    picture,
    Math.floor((width - across) / 2),
    Math.floor((height - down) / 2),
    Math.max(1, Math.round(across)),
    Math.max(1, Math.round(down)),
    {
      resizeWidth: size.width,
      resizeHeight: size.height,
      resizeQuality: smooth ? "high" : "pixelated",
      colorSpaceConversion: "none",
    },
  );
  const context = new OffscreenCanvas(size.width, size.height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // Under what is transparent.
  context.fillRect(0, 0, size.width, size.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, size.width, size.height).data;
}
