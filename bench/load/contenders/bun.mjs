/* global Bun */
Bun.serve({
  port: Number(process.env.PORT),
  hostname: '127.0.0.1',
  async fetch(request, server) {
    if (process.env.KIND === 'websocket' && server.upgrade(request)) return undefined;
    const path = new URL(request.url).pathname;
    if (path === '/json') return Response.json({ agent: request.headers.get('user-agent') });
    if (path === '/form') return new Response(String([...new URLSearchParams(await request.text()).keys()].length));
    return new Response('hello world', { headers: { 'Content-Type': 'text/html;charset=utf-8' } });
  },
  websocket: {
    open(socket) { socket.subscribe('all'); },
    message(socket, data) {
      if (data === 'all') {
        socket.publish('all', 'x'.repeat(64));
        socket.send('x'.repeat(64));
      } else socket.send(data);
    },
  },
});
