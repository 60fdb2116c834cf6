import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: Number(process.env.PORT), host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    if (!isBinary && data.length === 3 && data.toString() === 'all') {
      const text = Buffer.from('x'.repeat(64));
      for (const client of server.clients) client.send(text, { binary: false });
    } else socket.send(data, { binary: isBinary });
  });
});
