import './settle.mjs';
import Fastify from 'fastify';

const app = Fastify({ keepAliveTimeout: 120_000 });

app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
  done(null, Object.fromEntries(new URLSearchParams(body)));
});
app.get('/', (request, reply) => {
  reply.header('Content-Type', 'text/html;charset=utf-8').send('hello world');
});
app.get('/json', (request, reply) => {
  reply.send({ agent: request.headers['user-agent'] });
});
app.post('/form', (request, reply) => {
  reply.send(String(Object.keys(request.body).length));
});

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
