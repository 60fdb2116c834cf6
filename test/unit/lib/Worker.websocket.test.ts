import { connect } from 'node:net';
import { expect } from 'chai';
import type { Worker } from '../../../lib/types.js';
import '../../../protocols/builtIns.js';
import { closeBody, frame, openingRequest, OPCODES } from '../../support/websocket.js';
import { closeAll, Peer, until } from '../connection/peers.js';
import { portOf, serve, stopAll } from '../connection/workers.js';

describe('the WebSocket callbacks of a Worker', () => {
  afterEach(async () => {
    await closeAll();
    await stopAll();
  });

  it('are called with the connection, where that has none of its own', async () => {
    const calls: string[] = [];
    let hasOwn = false;
    const worker: Worker = await serve('websocket://127.0.0.1:0', {}, (w) => {
      w.onWebSocketConnect = (_connection, request) => calls.push(`connect ${request.path()}`);
      w.onWebSocketConnected = (connection, request) => {
        calls.push(`connected ${request.path()}`);
        if (hasOwn) connection.onWebSocketPong = (_c, data) => calls.push(`own pong ${data.toString()}`);
      };
      w.onWebSocketPing = (_connection, data) => calls.push(`ping ${data.toString()}`);
      w.onWebSocketPong = (_connection, data) => calls.push(`pong ${data.toString()}`);
      w.onWebSocketClose = (_connection, payload) => calls.push(`close ${payload.readUInt16BE(0)}`);
    });

    /** A client that sends a ping, a pong and a Close frame, and waits for the end. */
    const visit = async (): Promise<string> => {
      const peer = new Peer(connect(portOf(worker), '127.0.0.1'));
      await peer.write(openingRequest());
      await peer.gets(/\r\n\r\n/);
      const frames = [
        frame({ opcode: OPCODES.ping, payload: 'a' }),
        frame({ opcode: OPCODES.pong, payload: 'b' }),
        frame({ opcode: OPCODES.close, payload: closeBody(1001) }),
      ];
      await peer.write(Buffer.concat(frames));
      await until(() => peer.ended);
      return peer.bytes.subarray(-4).toString('hex');
    };

    // No pong: the callback has taken its place. The Close frame is answered when its callback has ended.
    expect(await visit()).to.equal('880203e8');
    expect(calls).to.deep.equal(['connect /', 'connected /', 'ping a', 'pong b', 'close 1001']);
    calls.length = 0;
    hasOwn = true;
    await visit();
    expect(calls).to.deep.equal(['connect /', 'connected /', 'ping a', 'own pong b', 'close 1001']);
  });
});
