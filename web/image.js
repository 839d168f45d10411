// Pictures: what the bytes are, and how to make them fit into one message.

export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];

/** Of the longer side, in pixels. Seen large is worth more than seen without a trace of compression. */
const SIDES = [1600, 1440, 1280, 1152, 1024, 896, 800, 720, 640, 560, 480, 400, 320, 240, 160, 120];
const QUALITIES = [0.4, 0.55, 0.7, 0.82];

/** A problem to be told to the user: what `words` of language.js says under `key`. */
export class ImageProblem extends Error {
  constructor(key, values) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/**
 * The raster type by its magic bytes, or '' for anything else. SVG is never recognised: it may carry script.
 * @param {Uint8Array} bytes
 */
export function sniffImage(bytes) {
  const at = (offset, text) => [...text].every((character, i) => bytes[offset + i] === character.charCodeAt(0));
  if (at(0, '\x89PNG\r\n\x1a\n')) return 'image/png';
  if (at(0, '\xff\xd8\xff')) return 'image/jpeg';
  if (at(0, 'GIF87a') || at(0, 'GIF89a')) return 'image/gif';
  if (at(0, 'RIFF') && at(8, 'WEBP')) return 'image/webp';
  if (at(4, 'ftyp') && namesAvif(bytes, at)) return 'image/avif';
  return '';
}

/** An AVIF file says so as the major brand or among the compatible ones of its first box (ISO/IEC 14496-12, 4.3). */
function namesAvif(bytes, at) {
  const boxEnd = Math.min(bytes.length, bytes[3], 128);
  for (let offset = 8; offset + 4 <= boxEnd; offset += offset === 8 ? 8 : 4) {
    if (at(offset, 'avif') || at(offset, 'avis')) return true;
  }
  return false;
}

/** Whether a JPEG says where and with what it was taken. */
function carriesExif(type, head) {
  return type === 'image/jpeg' && String.fromCharCode(...head).includes('Exif\0');
}

/**
 * Makes a picture fit to be sent: small enough, and without the place a camera may have noted in it.
 * @param {Blob} file
 * @param {number} bytesMax the most one message may have
 * @returns {Promise<{bytes: Uint8Array, type: string, note: string}>} `note`: key of what the user should know, may be empty
 * @throws {ImageProblem}
 */
export async function prepareImage(file, bytesMax) {
  const head = new Uint8Array(await file.slice(0, 128).arrayBuffer());
  const type = sniffImage(head);
  if (!type) throw new ImageProblem('pictures_only');
  // Read in any case: what cannot be seen here would be no picture for the others either.
  const picture = await decode(file);
  try {
    if (file.size <= bytesMax && !carriesExif(type, head)) {
      return { bytes: new Uint8Array(await file.arrayBuffer()), type, note: '' };
    }
    const smaller = await shrink(picture, bytesMax);
    if (!smaller) throw new ImageProblem('picture_too_large', { size: Math.floor(bytesMax / 1024) });
    return { ...smaller, note: type === 'image/gif' ? 'gif_still' : '' };
  } finally {
    picture.close();
  }
}

async function decode(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new ImageProblem('picture_broken');
  }
}

/** The largest of SIDES that fits at the least quality, at the best quality at which it does. */
async function shrink(picture, bytesMax) {
  const longest = Math.max(picture.width, picture.height);
  const sides = [longest, ...SIDES.filter((side) => side < longest)].filter((side) => side <= SIDES[0]);
  let atMost = SIDES[0];
  for (const side of sides) {
    if (side > atMost) continue;
    const canvas = draw(picture, side / longest);
    const [least, ...better] = QUALITIES;
    let best = await encode(canvas, least);
    if (!best) return null;
    if (best.size > bytesMax) {
      // Bytes go with the area; what is far too large at this side need not be tried at the next.
      atMost = side * Math.sqrt(bytesMax / best.size) * 1.15;
      continue;
    }
    for (const quality of better) {
      const blob = await encode(canvas, quality);
      if (blob.size > bytesMax) break;
      best = blob;
    }
    return { bytes: new Uint8Array(await best.arrayBuffer()), type: best.type };
  }
  return null;
}

function draw(picture, scale) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** WebP where the browser can write it, else JPEG on white. */
async function encode(canvas, quality) {
  const webp = await toBlob(canvas, 'image/webp', quality);
  if (webp?.type === 'image/webp') return webp;
  const context = canvas.getContext('2d');
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  return toBlob(canvas, 'image/jpeg', quality);
}

function toBlob(canvas, type, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}
