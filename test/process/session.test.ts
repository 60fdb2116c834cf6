import { readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { randomFrom } from '../support/feed.js';
import { accepting, cleanUpScripts, freePort, startScript, waitUntil, type Script } from '../support/process.js';
import { uploadRequest } from '../unit/protocols/http/multipartBody.js';
import { RedisServer, stopAllRedis } from '../unit/protocols/http/session/redisServer.js';

/** Uploads and sessions in real worker processes, with clients that come and go as they like. */

const SOURCE = `
import { mkdirSync, readdirSync } from 'node:fs';
import { FileSessionHandler, Http, RedisSessionHandler, Session, Worker } from 'workerman-ts';

const { PORT, COUNT, REDIS } = process.env;
const worker = new Worker('http://127.0.0.1:' + PORT);
worker.count = Number(COUNT ?? 1);
mkdirSync('uploads', { recursive: true });

worker.onWorkerStart = () => {
  Http.uploadTmpDir('uploads');
  if (REDIS) Session.handlerClass(RedisSessionHandler, { port: Number(REDIS), timeout: 0.5 });
  else Session.handlerClass(FileSessionHandler, { save_path: 'sessions' });
};

const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 4));

worker.onConnect = (connection) => {
  if (REDIS) connection.errorHandler = (error) => {
    console.log('errorHandler: ' + error.message);
    connection.close('error: ' + error.message);
  };
};

worker.onMessage = async (connection, request) => {
  switch (request.path()) {
    case '/figures':
      return connection.send(JSON.stringify({
        uploads: readdirSync('uploads').length,
        descriptors: readdirSync('/proc/self/fd').length,
        resources: process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').sort(),
        listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
        connections: worker.connections.size,
      }));
    case '/upload': {
      const session = await request.session();
      session.set('uploads', session.get('uploads', 0) + 1);
      if (request.get('wait')) await pause();
      const files = Object.keys(request.file()).length;
      connection.send('took ' + files + ' and ' + Object.keys(request.post()).length);
      await pause();
      session.set('after', true);
      return;
    }
    case '/keep':
      request.file();
      console.log('kept');
      if (request.get('exit')) process.exit(3);
      return;
    default: {
      const session = await request.session();
      const seen = session.get('seen', []);
      await pause();
      session.set('seen', [...seen, request.get('name')]);
      connection.send(JSON.stringify({ pid: process.pid, id: session.getId(), seen }));
    }
  }
};
Worker.runAll();
`;

describe('uploads and sessions in real processes', function () {
  this.timeout(60_000);

  let port: number;

  async function start(env: Record<string, string> = {}): Promise<Script> {
    port = await freePort();
    const script = startScript({ source: SOURCE, env: { PORT: String(port), ...env } });
    await script.started();
    await accepting({ port });
    return script;
  }

  afterEach(cleanUpScripts);
  after(stopAllRedis);

  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

  it('leave nothing of a thousand clients that leave at any byte of an upload', async () => {
    const script = await start();
    const random = randomFrom(7);
    const message = uploadRequest([
      { name: 'a', content: 'x'.repeat(2000) }, { name: 'f[]', filename: 'one', content: Buffer.alloc(20_000, 1) },
      { name: 'f[]', filename: 'two', content: Buffer.alloc(9000, 2) }, { name: 'empty', filename: '' },
    ]);
    const slow = Buffer.from(message.toString('latin1').replace('POST /upload', 'POST /upload?wait=1'), 'latin1');
    let answered = 0;

    /** Sends so much of an upload, and leaves in one way or the other, half of them as soon as it is sent. */
    const visit = (): Promise<void> => new Promise((resolve) => {
      const bytes = random() < 0.5 ? message : slow;
      const isWhole = random() < 0.3;
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {}).on('close', () => resolve());
      socket.on('data', () => {
        answered++;
        socket.end();
      });
      const waits = isWhole && random() < 0.5;
      socket.write(isWhole ? bytes : bytes.subarray(0, Math.floor(random() * bytes.length)), () => {
        if (waits) return;
        if (random() < 0.5) socket.resetAndDestroy();
        else socket.end().resume();
      });
    });
    const figures = async (): Promise<unknown> => {
      const response = await fetch(url('/figures'), { headers: { connection: 'close' } });
      return response.json();
    };
    const visits = async (number: number): Promise<void> => {
      const left = Array.from({ length: 20 }, async () => {
        for (let i = 0; i < number / 20; i++) await visit();
      });
      await Promise.all(left);
    };

    // The first ones make what is made once: the folder of sessions, threads, timers of the process.
    await visits(40);
    let before = await figures();
    await waitUntil(async () => {
      const earlier = JSON.stringify(before);
      before = await figures();
      return JSON.stringify(before) === earlier && (before as { connections: number }).connections === 1;
    }, () => `figures that stay: ${JSON.stringify(before)}`);
    const answeredBefore = answered;
    await visits(1000);
    let after: unknown;
    await waitUntil(async () => {
      after = await figures();
      return JSON.stringify(after) === JSON.stringify(before);
    }, () => `\n${JSON.stringify(after)} to be as before:\n${JSON.stringify(before)}`);
    expect(answered - answeredBefore).to.be.within(50, 300);
    expect(after).to.include({ uploads: 0 });
    expect(readdirSync(join(script.folder, 'sessions')).filter((name) => !/^session_[0-9a-v]{26}$/.test(name))).to.deep.equal([]);
    expect(script.log()).to.not.match(/exit with status/);
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('keep the sessions of clients apart that visit several processes', async () => {
    const script = await start({ COUNT: '2' });
    const pids = new Set<number>();
    const client = async (name: string): Promise<string> => {
      let cookie = '';
      for (let visit = 0; visit < 12; visit++) {
        const response = await fetch(url(`/?name=${name}`), { headers: { connection: 'close', cookie } });
        cookie ||= response.headers.get('set-cookie')!.split(';')[0]!;
        const { pid, id, seen } = (await response.json()) as { pid: number; id: string; seen: string[] };
        pids.add(pid);
        expect(`PHPSID=${id}`).to.equal(cookie);
        expect(seen).to.deep.equal(Array.from({ length: visit }, () => name));
      }
      return cookie;
    };
    const cookies = await Promise.all(Array.from({ length: 16 }, (_, i) => client(`c${i}`)));
    expect(new Set(cookies)).to.have.property('size', 16);
    expect(pids).to.have.property('size', 2);
    const folder = join(script.folder, 'sessions');
    expect(readdirSync(folder)).to.have.length(16);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).to.equal(0o600);
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
  });

  for (const [how, path] of [['is stopped', '/keep'], ['ends by itself', '/keep?exit=1']] as const) {
    it(`leave no file behind when a process ${how}`, async () => {
      const script = await start();
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(uploadRequest([{ name: 'f', filename: 'x', content: 'y' }]).toString().replace('/upload', path));
      await script.waitFor(/kept/);
      if (path === '/keep') {
        expect(readdirSync(join(script.folder, 'uploads'))).to.have.length(1);
        await script.stop();
      } else {
        await script.waitForLog(/exit with status 768/);
      }
      expect(readdirSync(join(script.folder, 'uploads'))).to.deep.equal([]);
      socket.destroy();
    });
  }

  it('tell a client when Redis is gone, and go on by themselves when it is back', async () => {
    const redis = await RedisServer.start();
    const script = await start({ REDIS: String(redis.port) });
    const visit = async (cookie = ''): Promise<Response> => fetch(url('/?name=a'), { headers: { connection: 'close', cookie } });
    const first = await visit();
    const cookie = first.headers.get('set-cookie')!.split(';')[0]!;
    expect(await (await visit(cookie)).json()).to.deep.include({ seen: ['a'] });
    await redis.kill();
    const failure = await (await visit(cookie)).text();
    expect(failure).to.match(/^error: Redis at 127\.0\.0\.1:\d+ did not answer within 0\.5 s: .*ECONNREFUSED/);
    await redis.begin();
    expect(await (await visit(cookie)).json()).to.deep.include({ seen: [] });
    expect(script.log()).to.not.match(/exit with status/);
    expect(await script.stop()).to.deep.equal({ code: 0, signal: null });
    await redis.remove();
  });

  it('end a process with the reason when Redis is gone and no errorHandler is set', async () => {
    const source = SOURCE.replace(/worker\.onConnect = [^]*?\n\};\n/, '');
    port = await freePort();
    const script = startScript({ source, env: { PORT: String(port), REDIS: String(await freePort()) } });
    await script.started();
    await accepting({ port });
    expect(await fetch(url('/')).then(() => 'answered', () => 'no answer')).to.equal('no answer');
    await script.waitForLog(/exit with status 64000/);
    expect(script.log()).to.match(/WorkermanError: Redis at 127\.0\.0\.1:\d+ did not answer within 0\.5 s: connect ECONNREFUSED/);
    await script.stop();
  });
});
