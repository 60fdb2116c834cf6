import { expect } from 'chai';
import fc from 'fast-check';
import { TcpConnection } from '../../../connection/TcpConnection.js';
import { catchReports, closeAll, settle, until } from '../connection/peers.js';
import { get, ok, serve } from './httpPeer.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Http: pipelined requests', () => {
  const reports = catchReports();
  afterEach(closeAll);

  it('are handed out in order, in the turn in which they came, and answered in order', async () => {
    const turns: number[] = [];
    let now = 0;
    const { peer, events } = await serve((c, request) => {
      turns.push(now);
      setImmediate(() => now++);
      c.send(request.path());
    });
    await peer.write(get('/a') + get('/b') + get('/c'));
    expect(await peer.gets(/c$/)).to.equal(ok('/a') + ok('/b') + ok('/c'));
    expect(events).to.deep.equal(['GET /a', 'GET /b', 'GET /c']);
    expect(turns).to.deep.equal([0, 0, 0]);
  });

  it('are answered in order and handled one at a time by async handlers of any duration', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ turns: fc.nat(4), before: fc.boolean(), body: fc.string({ maxLength: 20 }) }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (requests, cuts) => {
          let running = 0;
          let most = 0;
          const { peer, connection } = await serve(async (c, request) => {
            most = Math.max(most, ++running);
            const { turns, before } = requests[Number(request.path().slice(1))]!;
            const answer = (): unknown => c.send(`${request.path()}:${request.rawBody()}`);
            if (before) answer();
            for (let i = 0; i < turns; i++) await turn();
            if (!before) answer();
            running--;
          });
          const wire = Buffer.from(
            requests
              .map(
                ({ body }, i) =>
                  `POST /${i} HTTP/1.1\r\nHost: h\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
              )
              .join(''),
          );
          const edges = [0, ...cuts.map((cut) => cut % wire.length).sort((a, b) => a - b), wire.length];
          for (let i = 1; i < edges.length; i++) await peer.write(wire.subarray(edges[i - 1], edges[i]));
          const wanted = requests.map(({ body }, i) => ok(`/${i}:${body}`)).join('');
          await peer.gets(Buffer.byteLength(wanted));
          expect(peer.bytes.toString()).to.equal(wanted);
          expect(most).to.equal(1);
          connection.destroy();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('wait for the promise, not for the answer', async () => {
    let done: () => void = () => {};
    const { peer, events } = await serve((c, request) => {
      c.send(request.path());
      return new Promise<void>((resolve) => (done = resolve));
    });
    await peer.write(get('/a') + get('/b'));
    await peer.gets(/a$/);
    await settle();
    expect(events).to.deep.equal(['GET /a']);
    done();
    expect(await peer.gets(/b$/)).to.equal(ok('/a') + ok('/b'));
  });

  it('overtake one that is answered later by a handler that returned nothing, as in Workerman', async () => {
    let answer: () => void = () => {};
    const { peer } = await serve((c, request) => {
      if (request.path() === '/slow') answer = () => void c.send('slow');
      else c.send('fast');
    });
    await peer.write(get('/slow') + get('/fast'));
    await peer.gets(/fast$/);
    answer();
    expect(await peer.gets(/slow$/)).to.equal(ok('fast') + ok('slow'));
  });

  it('go on behind a handler that throws or rejects, when errorHandler takes that', async () => {
    const errors: string[] = [];
    const { peer } = await serve(
      (c, request) => {
        if (request.path() === '/throws') throw new Error('thrown');
        if (request.path() === '/rejects') return Promise.reject(new Error('rejected'));
        c.send('fine');
      },
      (c) =>
        (c.errorHandler = (error: unknown) => {
          errors.push((error as Error).message);
        }),
    );
    await peer.write(get('/throws') + get('/rejects') + get('/fine'));
    await peer.gets(/fine$/);
    expect(errors).to.deep.equal(['thrown', 'rejected']);
    expect(reports.failures).to.deep.equal([]);
  });

  it('report a rejection with nothing in it too', async () => {
    const { peer } = await serve(() => Promise.reject());
    await peer.write(get());
    await until(() => reports.failures.length === 1);
    expect(reports.failures).to.deep.equal([undefined]);
  });

  it('take any thenable for a promise', async () => {
    let done: () => void = () => {};
    const { peer, events } = await serve((c, request) => {
      c.send(request.path());
      return { then: (resolve: () => void) => void (done = resolve) };
    });
    await peer.write(get('/a') + get('/b'));
    await peer.gets(/a$/);
    await settle();
    expect(events).to.deep.equal(['GET /a']);
    done();
    await peer.gets(/b$/);
  });

  it('are not handed out behind a close() or end() of the handler', async () => {
    for (const act of ['close', 'end', 'destroy'] as const) {
      const { peer, events, connection } = await serve(async (c) => {
        await turn();
        c[act]();
      });
      await peer.write(get('/a') + get('/b'));
      await until(() => (connection.getStatus() & (TcpConnection.STATUS_ENDING | TcpConnection.STATUS_CLOSED)) !== 0);
      await settle();
      expect(events.filter((event) => event !== '(close)')).to.deep.equal(['GET /a']);
    }
  });

  it('are not read any more when more than maxPackageSize waits behind a pending handler, until it settles', async () => {
    let done: () => void = () => {};
    let first = true;
    const { connection, peer, events } = await serve(
      (c, request) => {
        c.send(request.path());
        if (!first) return;
        first = false;
        return new Promise<void>((resolve) => (done = resolve));
      },
      (c) => (c.maxPackageSize = 5000),
    );
    const count = 100_000;
    const wire = Buffer.from(get('/x').repeat(count));
    const writing = peer.write(wire);
    await until(() => connection.bytesRead > 5000);
    for (let i = 0; i < 5; i++) await settle();
    // One read may pass the limit, and Node's own buffer takes one more; a read is 64 KiB.
    expect(connection.bytesRead).to.be.below(5000 + 3 * 65_536);
    expect(connection.getRecvBufferQueueSize()).to.equal(connection.bytesRead - get('/x').length);
    expect(events).to.have.length(1);
    done();
    await writing;
    await peer.gets(count * ok('/x').length);
    expect(events).to.have.length(count);
  });

  it('of a peer that has gone are not handed out when the pending handler settles', async () => {
    let done: () => void = () => {};
    const results: unknown[] = [];
    const { connection, peer, events } = await serve(
      (c) =>
        new Promise<void>((resolve) => {
          done = () => {
            results.push(c.send('late'));
            resolve();
          };
        }),
    );
    peer.socket.end(get('/a') + get('/b'));
    await until(() => events.includes('(close)'));
    expect(events).to.deep.equal(['GET /a', '(close)']);
    expect(connection.getStatus()).to.equal(TcpConnection.STATUS_CLOSED);
    done();
    await settle();
    expect(results).to.deep.equal([false]);
    expect(events).to.deep.equal(['GET /a', '(close)']);
    expect(peer.text).to.equal('');
  });

  it('of a peer that has gone leave the exception of their handler to errorHandler', async () => {
    const errors: unknown[] = [];
    let fail: () => void = () => {};
    const { peer, events } = await serve(
      () => new Promise<void>((_resolve, reject) => (fail = () => reject(new Error('late')))),
      (c) => (c.errorHandler = (error: unknown) => void errors.push(String(error))),
    );
    await peer.write(get());
    await until(() => events.length === 1);
    await peer.reset();
    await until(() => events.includes('(close)'));
    fail();
    await until(() => errors.length + reports.failures.length > 0);
    expect(errors).to.deep.equal(['Error: late']);
  });

  it('are answered when FIN comes in the same segment, as long as that is done at once', async () => {
    const { peer, events } = await serve((c, request) => c.send(request.path()));
    peer.socket.end(get('/a') + get('/b'));
    await until(() => peer.ended);
    expect(peer.text).to.equal(ok('/a') + ok('/b'));
    expect(events).to.deep.equal(['GET /a', 'GET /b', '(close)']);
  });

  it('stay where they are while the connection is paused', async () => {
    const { connection, peer, events } = await serve((c, request) => {
      c.send(request.path());
      if (request.path() === '/a') c.pauseRecv();
    });
    await peer.write(get('/a') + get('/b') + get('/c'));
    await peer.gets(/a$/);
    await settle();
    expect(events).to.deep.equal(['GET /a']);
    expect(connection.getRecvBufferQueueSize()).to.equal((get('/b') + get('/c')).length);
    connection.resumeRecv();
    expect(events).to.deep.equal(['GET /a', 'GET /b', 'GET /c']);
    expect(await peer.gets(/c$/)).to.equal(ok('/a') + ok('/b') + ok('/c'));
  });
});
