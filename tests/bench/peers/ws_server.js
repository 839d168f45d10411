// The npm package `ws` as a server of rooms, for roomcast-bench to measure beside roomcast:
//     node ws_server.js [--deflate] [--tls=DIRECTORY]
// Every client in /rooms/NAME gets each message sent by one of them; /echo answers the sender. DIRECTORY has tls.crt and tls.key.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const { values: options } = parseArgs({ options: { deflate: { type: 'boolean' }, tls: { type: 'string' } } });
const alone = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const rooms = new Map();

/** Adds `socket` to the room `name`, which is removed with its last member. */
function join(name, socket) {
  if (!rooms.has(name)) rooms.set(name, new Set());
  const room = rooms.get(name).add(socket);
  socket.on('message', (data, binary) => {
    for (const member of room) member.send(data, { binary });
  });
  socket.on('close', () => {
    room.delete(socket);
    if (room.size === 0) rooms.delete(name);
  });
}

function onConnection(socket, { url }) {
  const [path] = url.split('?');
  socket.on('error', () => {});
  if (path === '/echo') socket.on('message', (data, binary) => socket.send(data, { binary }));
  else if (path.startsWith('/rooms/')) join(path.slice('/rooms/'.length), socket);
  else socket.close(1008);
}

const server = options.tls
  ? https.createServer({ cert: readFileSync(`${options.tls}/tls.crt`), key: readFileSync(`${options.tls}/tls.key`) })
  : http.createServer();
new WebSocketServer({ server, perMessageDeflate: options.deflate ? alone : false }).on('connection', onConnection);
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.error(`ready ${options.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`);
});
