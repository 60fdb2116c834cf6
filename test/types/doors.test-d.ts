import * as root from 'workerman-ts';
import { ConnectionInterface, TcpConnection, UdpConnection } from 'workerman-ts/connection';
import { Frame, Http, Text } from 'workerman-ts/protocols';
import type { ProtocolInterface } from 'workerman-ts/protocols';
import { Chunk, Request, Response, ServerSentEvents } from 'workerman-ts/protocols/http';
import { Timer } from 'workerman-ts/timer';
import { expectType } from './expectType.js';

// The sub-paths, which follow the namespaces, name the same classes as the root.

expectType<typeof root.TcpConnection>()(TcpConnection);
expectType<typeof root.UdpConnection>()(UdpConnection);
expectType<typeof root.ConnectionInterface>()(ConnectionInterface);
expectType<typeof root.Http>()(Http);
expectType<typeof root.Text>()(Text);
expectType<typeof root.Frame>()(Frame);
expectType<typeof root.Request>()(Request);
expectType<typeof root.Response>()(Response);
expectType<typeof root.Chunk>()(Chunk);
expectType<typeof root.ServerSentEvents>()(ServerSentEvents);
expectType<typeof root.Timer>()(Timer);

const protocol: ProtocolInterface<string> = { decode: (buffer) => buffer.toString(), encode: (data: string) => data };
protocol.decode(Buffer.alloc(0), null);

// @ts-expect-error nothing else is exported
import('workerman-ts/lib/Worker');
