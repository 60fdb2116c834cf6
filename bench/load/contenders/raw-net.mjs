import './settle.mjs';
import { createServer } from 'node:net';

// No parsing at all: whatever comes is answered with the same bytes.
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 11\r\n\r\nhello world',
);

createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => socket.write(answer));
  socket.on('error', () => socket.destroy());
}).listen(Number(process.env.PORT), '127.0.0.1');
