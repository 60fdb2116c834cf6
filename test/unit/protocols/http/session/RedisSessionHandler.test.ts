import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { WorkermanError } from '../../../../../errors.js';
import { RedisSessionHandler } from '../../../../../protocols/http/session/RedisSessionHandler.js';
import type { RedisConnection } from '../../../../../protocols/http/session/RedisLink.js';
import { Session } from '../../../../../protocols/http/Session.js';
import { freePort, TSX, waitUntil } from '../../../../support/process.js';
import { RedisServer, stopAllRedis } from './redisServer.js';

const run = promisify(execFile);
const HANDLER = new URL('../../../../../protocols/http/session/RedisSessionHandler.ts', import.meta.url).href;
const ID = 'abcdefghijklmnop';

/** What a promise is rejected with. */
async function failure(promise: Promise<unknown>): Promise<WorkermanError> {
  const error: unknown = await promise.then(() => null, (reason: unknown) => reason);
  expect(error).to.be.instanceOf(WorkermanError);
  return error as WorkermanError;
}

describe('RedisSessionHandler', () => {
  let server: RedisServer;
  const handlers: RedisSessionHandler[] = [];

  const make = (config: ConstructorParameters<typeof RedisSessionHandler>[0]): RedisSessionHandler => {
    const handler = new RedisSessionHandler({ timeout: 5, ...config });
    handlers.push(handler);
    return handler;
  };

  before(async () => {
    server = await RedisServer.start();
  });

  afterEach(async () => {
    for (const handler of handlers.splice(0)) handler.close();
    await server.cli('flushall');
  });

  after(stopAllRedis);

  it('keeps what is written under its prefix, for the lifetime of a session', async () => {
    const handler = make({ port: server.port });
    expect(await handler.read(ID)).to.equal(false);
    expect(await handler.write(ID, '{"a":"ü"}')).to.equal(true);
    expect(await handler.read(ID)).to.equal('{"a":"ü"}');
    expect(await server.cli('get', `redis_session_${ID}`)).to.equal('{"a":"ü"}');
    expect(Number(await server.cli('ttl', `redis_session_${ID}`))).to.be.within(Session.lifetime - 2, Session.lifetime);
  });

  it('begins the lifetime anew, and says whether there was anything', async () => {
    const handler = make({ port: server.port });
    expect(await handler.updateTimestamp(ID)).to.equal(false);
    await handler.write(ID, '{}');
    await server.cli('expire', `redis_session_${ID}`, '5');
    expect(await handler.updateTimestamp(ID)).to.equal(true);
    expect(Number(await server.cli('ttl', `redis_session_${ID}`))).to.be.above(1000);
  });

  it('destroys, also what is not there, and leaves the collection to Redis', async () => {
    const handler = make({ port: server.port });
    await handler.write(ID, '{}');
    expect(await handler.destroy(ID)).to.equal(true);
    expect(await handler.destroy(ID)).to.equal(true);
    expect(await server.cli('exists', `redis_session_${ID}`)).to.equal('0');
    expect(handler.gc(0)).to.equal(true);
  });

  it('takes a prefix, and the default one when it is empty', async () => {
    await make({ port: server.port, prefix: 'mine:' }).write(ID, '1');
    await make({ port: server.port, prefix: '' }).write(ID, '2');
    expect(await server.cli('get', `mine:${ID}`)).to.equal('1');
    expect(await server.cli('get', `redis_session_${ID}`)).to.equal('2');
  });

  it('uses the database that is asked for', async () => {
    await make({ port: server.port, database: 3, host: 'localhost' }).write(ID, 'x');
    expect(await server.cli('-n', '3', 'get', `redis_session_${ID}`)).to.equal('x');
    expect(await server.cli('exists', `redis_session_${ID}`)).to.equal('0');
  });

  it('does everything over one connection, which close() ends', async () => {
    const handler = make({ port: server.port, pool: { max_connections: 5 } });
    await Promise.all(Array.from({ length: 200 }, (_, i) => handler.write(`${ID}${i}`, String(i))));
    const data = await Promise.all(Array.from({ length: 200 }, (_, i) => handler.read(`${ID}${i}`)));
    expect(data).to.deep.equal(Array.from({ length: 200 }, (_, i) => String(i)));
    const others = async (): Promise<number> => (await server.cli('client', 'list')).split('\n').length - 1;
    expect(await others()).to.equal(1);
    handler.close();
    await waitUntil(async () => (await others()) === 0, () => 'the connection to be closed');
    expect(await handler.read(`${ID}7`)).to.equal('7');
  });

  it('keeps the connection alive with pings', async () => {
    const handler = make({ port: server.port, ping: 0.02 });
    await handler.read(ID);
    const pings = async (): Promise<number> =>
      Number(/cmdstat_ping:calls=(\d+)/.exec(await server.cli('info', 'commandstats'))?.[1] ?? 0);
    await waitUntil(async () => (await pings()) > 2, () => 'pings');
  });

  it('fails in the time that was set, with the reason, when nobody listens', async () => {
    const port = await freePort();
    const error = await failure(make({ port, timeout: 0.1 }).read(ID));
    expect(error.message).to.equal(
      `Redis at 127.0.0.1:${port} did not answer within 0.1 s: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(error.code).to.equal('ECONNREFUSED');
  });

  it('logs in, with a password alone or with a user, and says when it may not', async () => {
    const guarded = await RedisServer.start('--requirepass', 'secret', '--user', 'web', 'on', '>pass', '~*', '+@all');
    for (const auth of ['secret', ['secret'], ['web', 'pass']]) {
      expect(await make({ port: guarded.port, auth }).write(ID, 'x')).to.equal(true);
    }
    const error = await failure(make({ port: guarded.port, auth: 'wrong', timeout: 1 }).read(ID));
    expect(error.message).to.match(/^Redis at 127\.0\.0\.1:\d+ did not answer within 1 s: WRONGPASS /);
    await guarded.remove();
  });

  it('passes an answer of Redis on that is an error, and goes on', async () => {
    const handler = make({ port: server.port });
    await server.cli('lpush', `redis_session_${ID}`, 'x');
    expect((await failure(handler.read(ID))).message).to.match(/^Redis at 127\.0\.0\.1:\d+ failed: WRONGTYPE/);
    expect(await handler.write(ID, 'y')).to.equal(true);
  });

  it('fails while Redis is dead, and works again when it is back', async () => {
    const mortal = await RedisServer.start();
    const handler = make({ port: mortal.port, timeout: 0.2 });
    await handler.write(ID, 'before');
    await mortal.kill();
    expect((await failure(handler.write(ID, 'meanwhile'))).message).to.match(/did not answer within 0\.2 s|failed/);
    expect((await failure(handler.read(ID))).message).to.match(/did not answer within 0\.2 s: .*ECONNREFUSED/);
    await mortal.begin();
    // What was given up is not sent later.
    expect(await handler.read(ID)).to.equal(false);
    expect(await handler.write(ID, 'after')).to.equal(true);
    await mortal.remove();
  });

  it('survives a restart of Redis that is shorter than the time of a command', async () => {
    const mortal = await RedisServer.start();
    const handler = make({ port: mortal.port });
    await handler.write(ID, 'before');
    await mortal.kill();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const reading = handler.read(ID);
    await mortal.begin();
    expect(await reading).to.equal(false);
    await mortal.remove();
  });

  it('fails when Redis hangs, and works again when it goes on', async () => {
    const handler = make({ port: server.port, timeout: 0.2 });
    await handler.write(ID, 'x');
    server.signal('SIGSTOP');
    try {
      expect((await failure(handler.read(ID))).message).to.match(/did not answer within 0\.2 s/);
      const errors = await Promise.all([failure(handler.read(ID)), failure(handler.destroy(ID))]);
      for (const error of errors) expect(error.code).to.equal('ETIMEDOUT');
    } finally {
      server.signal('SIGCONT');
    }
    await handler.write(ID, 'y');
    expect(await handler.read(ID)).to.equal('y');
  });

  it('gives a command its whole time when another one has given the connection up', async () => {
    // The first connection never answers, the second does.
    let connections = 0;
    class Slow extends RedisSessionHandler {
      protected override async createRedisConnection(): Promise<RedisConnection> {
        const number = ++connections;
        let end = (_error: Error): void => {};
        const get = (): Promise<unknown> => (number > 1
          ? Promise.resolve('data')
          : new Promise((_, reject) => {
              end = reject;
            }));
        const client = { get, setEx: get, expire: get, del: get, connect: async () => {}, on: () => {}, destroy: () => end(new Error('closed')) };
        return this.connectClient(client);
      }
    }
    const handler = new Slow({ timeout: 0.2 });
    const first = handler.read(ID);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = handler.read(ID);
    expect((await failure(first)).message).to.equal('Redis at 127.0.0.1:6379 did not answer within 0.2 s');
    expect(await second).to.equal('data');
    expect(connections).to.equal(2);
  });

  it('says what to install when the package is missing', async () => {
    const hide = `export async function resolve(name, context, next) {
      if (name === 'redis') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`;
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hide)}));
      const { RedisSessionHandler } = await import(${JSON.stringify(HANDLER)});
      await new RedisSessionHandler({}).read('abc').catch((error) => console.log(error.message));`;
    const { stdout } = await run(process.execPath, ['--import', TSX, '--input-type=module', '-e', script]);
    expect(stdout).to.equal('Please install redis: npm i redis\n');
  });

  it('leaves no timer and no socket behind', async () => {
    const count = (): string[] => process.getActiveResourcesInfo().filter((name) => /^(Timeout|TCP)/.test(name));
    // Mocha begins to measure the time of a test behind its first await.
    await Promise.resolve();
    const before = count();
    const handler = make({ port: server.port });
    await handler.write(ID, 'x');
    handler.close();
    await waitUntil(() => count().length <= before.length, () => count().join());
  });
});
