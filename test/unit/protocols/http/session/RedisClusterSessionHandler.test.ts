import { expect } from 'chai';
import { RedisClusterSessionHandler } from '../../../../../protocols/http/session/RedisClusterSessionHandler.js';
import { Session } from '../../../../../protocols/http/Session.js';
import { waitUntil } from '../../../../support/process.js';
import { startCluster, stopAllRedis, type RedisServer } from './redisServer.js';

const ids = Array.from({ length: 60 }, (_, i) => `abcdefghijklmnop${i}`);

describe('RedisClusterSessionHandler', function () {
  this.timeout(30_000);
  let nodes: RedisServer[];
  const handlers: RedisClusterSessionHandler[] = [];

  const make = (config: Partial<ConstructorParameters<typeof RedisClusterSessionHandler>[0]> = {}): RedisClusterSessionHandler => {
    const handler = new RedisClusterSessionHandler({ host: [`127.0.0.1:${nodes[0]!.port}`], timeout: 5, ...config });
    handlers.push(handler);
    return handler;
  };

  before(async () => {
    nodes = await startCluster();
  });

  afterEach(() => {
    for (const handler of handlers.splice(0)) handler.close();
  });

  after(stopAllRedis);

  it('spreads the sessions over all nodes, knowing one of them', async () => {
    const handler = make({ persistent: true });
    expect(await handler.read(ids[0]!)).to.equal(false);
    await Promise.all(ids.map((id) => handler.write(id, `data of ${id}`)));
    expect(await Promise.all(ids.map((id) => handler.read(id)))).to.deep.equal(ids.map((id) => `data of ${id}`));
    const sizes = await Promise.all(nodes.map(async (node) => Number(await node.cli('dbsize'))));
    expect(sizes.reduce((sum, size) => sum + size)).to.equal(ids.length);
    expect(Math.min(...sizes)).to.be.above(0);
    expect(Number(await nodes[0]!.cli('-c', 'ttl', `redis_session_${ids[0]}`))).to.be.within(Session.lifetime - 5, Session.lifetime);
  });

  it('begins a lifetime anew and destroys, wherever a session is', async () => {
    const handler = make({ prefix: 'other:' });
    await Promise.all(ids.map((id) => handler.write(id, 'x')));
    for (const id of ids) {
      expect(await handler.updateTimestamp(id)).to.equal(true);
      expect(await handler.destroy(id)).to.equal(true);
      expect(await handler.updateTimestamp(id)).to.equal(false);
    }
  });

  it('fails in the time that was set when no node can be reached', async () => {
    const handler = make({ host: ['127.0.0.1:1', '[::1]:1'], timeout: 0.5 });
    const error = await handler.read(ids[0]!).then(() => null, (reason: Error) => reason);
    expect(error?.message).to.match(/^Redis at 127\.0\.0\.1:1, \[::1\]:1 /);
  });

  it('fails for the sessions of a node that is dead, and works again when it is back', async () => {
    const handler = make({ host: nodes.map((node) => `127.0.0.1:${node.port}`), read_timeout: 0.5 });
    await Promise.all(ids.map((id) => handler.write(id, 'before')));
    const [victim] = nodes as [RedisServer];
    await victim.kill();
    const results = await Promise.allSettled(ids.map((id) => handler.read(id)));
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed).to.have.length.above(0);
    for (const { reason } of failed) expect((reason as Error).message).to.match(/^Redis at 127\.0\.0\.1:\d+, .* (failed|did not answer)/);
    await victim.begin();
    await waitUntil(
      () => Promise.all(ids.map((id) => handler.write(id, 'after'))).then(() => true, () => false),
      () => 'the cluster to take sessions again',
    );
    expect(await handler.read(ids[1]!)).to.equal('after');
  });
});
