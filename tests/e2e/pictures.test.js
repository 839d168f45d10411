// Pictures and other binary messages.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertNoProblems, enterRoom, showsLine, isIn, launchBrowser, post } from '../support/browser.js';
import { LOG } from '../support/contract.js';
import { Relay, isUpgrade } from '../support/relay.js';
import { scratchDirectory } from '../support/scratch.js';
import { startServer } from '../support/server.js';

const DOT = Buffer.from('R0lGODlhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=', 'base64');

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const pair = (room) => Promise.all(['Ada', 'Grace'].map((name) => enterRoom(browser, server.url, { room, name })));

/** A square picture of noise. */
function imageBytes(tab, side, type) {
  return tab.evaluate(async ([length, wanted]) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = length;
    const context = canvas.getContext('2d');
    const pixels = context.createImageData(length, length);
    for (let i = 0; i < pixels.data.length; i += 1) pixels.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
    context.putImageData(pixels, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, wanted));
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, [side, type]).then((bytes) => Buffer.from(bytes));
}

/** Waits for the picture in the log and returns its properties. */
async function pictureIn(tab) {
  await tab.waitForFunction(() => document.querySelector('.log img')?.naturalWidth > 0);
  return tab.$eval('.log img', (img) => ({ alt: img.alt, scheme: new URL(img.src).protocol, width: img.naturalWidth }));
}

test('a small picture arrives unchanged, with its sender', async () => {
  const [ada, grace] = await pair('small');
  await ada.setInputFiles('.picture-file', { name: 'dot.gif', mimeType: 'image/gif', buffer: DOT });
  const seen = await pictureIn(grace);
  assert.equal(seen.alt, 'Picture from Ada');
  assert.equal(seen.scheme, 'blob:');
  await pictureIn(ada);
  assert.equal(await ada.locator('.log .own img').count(), 1);
  assert.equal(await ada.locator('.outbox li').count(), 0);
  assertNoProblems(ada);
});

/** The binary messages that a tab publishes from now on. */
async function binarySentBy(tab) {
  const sent = [];
  tab.on('websocket', (socket) => socket.on('framesent', ({ payload }) => {
    const base64 = JSON.parse(payload).data_base64;
    if (base64) sent.push(Buffer.from(base64, 'base64'));
  }));
  await tab.reload();
  await isIn(tab);
  return sent;
}

test('a picture too large for a message is scaled down until it fits', async () => {
  const [ada, grace] = await pair('large');
  const sent = await binarySentBy(ada);
  const png = await imageBytes(ada, 700, 'image/png');
  assert.ok(png.length > 1_000_000);
  await ada.setInputFiles('.picture-file', { name: 'noise.png', mimeType: 'image/png', buffer: png });
  assert.ok((await pictureIn(grace)).width >= 100);
  assert.equal(sent.length, 1);
  assert.ok(sent[0].length > 10_000 && sent[0].length <= 65_536, `${sent[0].length} bytes`);
  assert.equal(await ada.textContent('.notice'), '');
  assert.equal(await ada.getAttribute('#state', 'data-state'), 'live');
});

test('the location is removed from a photograph', async () => {
  const [ada, grace] = await pair('exif');
  const sent = await binarySentBy(ada);
  const jpeg = await imageBytes(ada, 32, 'image/jpeg');
  const exif = Buffer.from('\xff\xe1\x00\x1eExif\0\0GPS at home, upstairs!!', 'latin1');
  const photograph = Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
  await ada.setInputFiles('.picture-file', { name: 'home.jpg', mimeType: 'image/jpeg', buffer: photograph });
  assert.equal((await pictureIn(grace)).width, 32);
  assert.equal(sent[0].includes('GPS'), false);
});

test('a file that is no picture, or cannot be made to fit, is refused with a notice', async () => {
  const [ada, grace] = await pair('refused');
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="ran=1"/>');
  await ada.setInputFiles('.picture-file', { name: 'x.png', mimeType: 'image/png', buffer: svg });
  await ada.waitForFunction(() => /Only pictures/.test(document.querySelector('.notice').textContent));
  const broken = Buffer.concat([DOT, Buffer.alloc(70_000)]).fill(0xff, 13);
  await ada.setInputFiles('.picture-file', { name: 'x.gif', mimeType: 'image/gif', buffer: broken });
  await ada.waitForFunction(() => /damaged, or the browser cannot read it/.test(document.querySelector('.notice').textContent));
  // Small enough to be sent unchanged, and still not a picture.
  const small = Buffer.from('\x89PNG\r\n\x1a\nbroken', 'latin1');
  await ada.evaluate(() => document.querySelector('.notice').replaceChildren());
  await ada.setInputFiles('.picture-file', { name: 'x.png', mimeType: 'image/png', buffer: small });
  await ada.waitForFunction(() => /damaged/.test(document.querySelector('.notice').textContent));
  assert.equal(await ada.locator('.outbox li').count(), 0);
  assert.equal(await grace.locator('.log li').count(), 0);
});

test('a dropped and a pasted picture are sent', async () => {
  const [ada, grace] = await pair('dropped');
  const hand = (kind) => ada.evaluate(({ type, bytes }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], 'dot.gif', { type: 'image/gif' }));
    const event = type === 'paste'
      ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
      : new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector('.entry').dispatchEvent(event);
  }, { type: kind, bytes: [...DOT] });
  await hand('dragover');
  assert.equal(await ada.isVisible('.drop-hint'), true);
  await hand('drop');
  assert.equal(await ada.isVisible('.drop-hint'), false);
  await hand('paste');
  await grace.waitForFunction(() => document.querySelectorAll('.log img').length === 2);
});

test('a raw client’s picture is recognised by its bytes; a damaged one becomes a download', async () => {
  const [ada] = await pair('raw');
  await post(server.url, 'raw', DOT, 'application/octet-stream');
  assert.equal((await pictureIn(ada)).alt, 'Picture');
  await post(server.url, 'raw', Buffer.from('\x89PNG\r\n\x1a\nbroken', 'latin1'), 'image/png');
  await ada.waitForSelector('.log .attachment');
  assert.equal(await ada.locator('.log img').count(), 1);
});

test('senders are distinguished although their pictures cross', async () => {
  const [ada, grace] = await pair('crossing');
  const viewer = await enterRoom(browser, server.url, { room: 'crossing', name: 'Alan' });
  await Promise.all([ada, grace].flatMap((tab, who) => [0, 1, 2].map(async (i) => {
    const buffer = Buffer.from(DOT);
    buffer[13] = who * 100 + i; // the colour
    await tab.setInputFiles('.picture-file', { name: 'dot.gif', mimeType: 'image/gif', buffer });
  })));
  await viewer.waitForFunction(() => document.querySelectorAll('.log img').length === 6);
  const alts = await viewer.$$eval('.log img', (all) => all.map((img) => img.alt).sort());
  assert.deepEqual(alts, [...Array(3).fill('Picture from Ada'), ...Array(3).fill('Picture from Grace')]);
});

/**
 * Chooses a picture of `width` × `height` that is drawn in the page: spots over a gradient, like a photograph. Sends `text`
 * right after it. @returns the pending messages then
 */
const choosePhotograph = (tab, width, height, text) => tab.evaluate(async ([w, h, then]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
  const context = canvas.getContext('2d');
  const sky = context.createLinearGradient(0, 0, w, h);
  for (const [at, color] of [[0, '#024'], [0.5, '#fa4'], [1, '#48a']]) sky.addColorStop(at, color);
  context.fillStyle = sky;
  context.fillRect(0, 0, w, h);
  for (let i = 0; i < 1000; i += 1) {
    context.fillStyle = `hsl(${(i * 47) % 360} 60% 50% / 50%)`;
    context.beginPath();
    context.arc((i * 7919) % w, (i * 104729) % h, (i * 13) % 30, 0, 7);
    context.fill();
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  const files = new DataTransfer();
  files.items.add(new File([blob], 'sky.png', { type: 'image/png' }));
  const input = document.querySelector('.current .picture-file');
  input.files = files.files;
  input.dispatchEvent(new Event('change'));
  // At once, before the picture can be ready.
  document.querySelector('.current .entry').value = then;
  document.querySelector('.current .composer').requestSubmit();
  return [...document.querySelectorAll('.outbox .body')].map((one) => one.textContent);
}, [width, height, text]);

test('a photograph of 1600 × 900 keeps its size, is announced while it is prepared, precedes later messages, and can be enlarged', async () => {
  const [ada, grace] = await pair('photograph');
  assert.deepEqual(await choosePhotograph(ada, 1600, 900, 'after the picture'), ['Preparing the picture…', 'after the picture']);
  await showsLine(grace, 'after the picture');
  const kinds = await grace.$$eval('.log .body', (all) => all.map((one) => (one.querySelector('img') ? 'picture' : one.textContent)));
  assert.deepEqual(kinds, ['picture', 'after the picture']);
  assert.ok((await pictureIn(grace)).width >= 1280);

  await grace.focus('.picture-open');
  await grace.keyboard.press('Enter');
  const large = await grace.$eval('#viewer img', (img) => ({ shown: img.clientWidth, alt: img.alt, open: img.parentElement.open }));
  assert.deepEqual([large.alt, large.open], ['Picture from Ada', true]);
  assert.ok(large.shown > 900, `${large.shown} pixels`);
  await grace.keyboard.press('Escape');
  assert.equal(await grace.isVisible('#viewer'), false);
  await grace.click('.log img');
  await grace.click('#viewer');
  assert.equal(await grace.isVisible('#viewer'), false);
  assertNoProblems(ada, grace);
});

/** The bytes of the newest message of a room. */
async function newestSize(url, room) {
  const { messages } = await (await fetch(`${url}/rooms/${room}?transport=poll&history=1`)).json();
  return Buffer.from(messages[0].data_base64, 'base64').length;
}

for (const [way, judge] of [['WebSocket', () => undefined], ['EventSource', (head) => (isUpgrade(head) ? 'refuse' : undefined)]]) {
  test(`a picture is scaled to the server's current limit, over ${way}`, async (t) => {
    const config = path.join(scratchDirectory(), 'roomcast.toml');
    const allow = (bytes) => fs.writeFileSync(config, `limits.message_bytes = ${bytes}\n`);
    allow(200_000);
    const own = await startServer({ args: ['--config', config] });
    t.after(() => own.kill());
    const relay = await Relay.start(own.url);
    t.after(() => relay.close());
    relay.judge = judge;
    const ada = await enterRoom(browser, relay.url, { room: 'limits', name: 'Ada' });
    t.after(() => ada.context().close());
    assert.match(await ada.getAttribute('#state', 'title'), new RegExp(way));
    const noise = { name: 'noise.png', mimeType: 'image/png', buffer: await imageBytes(ada, 700, 'image/png') };
    const sendNoise = async (count) => {
      await ada.setInputFiles('.picture-file', noise);
      await ada.waitForFunction((wanted) => document.querySelectorAll('.log img').length === wanted, count);
      assert.equal(await ada.textContent('.notice'), '');
      return newestSize(own.url, 'limits');
    };
    const large = await sendNoise(1);
    assert.ok(large > 65_536 && large <= 200_000, `${large} bytes of 200,000`);
    allow(20_000);
    const mark = own.mark();
    own.reload();
    await own.waitForLog(LOG.reloaded, { mark });
    const small = await sendNoise(2);
    assert.ok(small > 5_000 && small <= 20_000, `${small} bytes of 20,000`);
  });
}
