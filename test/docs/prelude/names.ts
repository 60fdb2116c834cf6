// One of each, with no room for names of the user's own: what is not declared does not compile.
import type {
  AsyncTcpConnection, AsyncUdpConnection, EventInterface, Request, Response, Session, TcpConnection, Worker,
} from 'workerman-ts';

type Nothing = Record<never, never>;
/** Without the index signature that lets users hang anything on an object. */
type Declared<T> = { [K in keyof T as string extends K ? never : K]: T[K] };

export declare const worker: Worker<Nothing, Nothing>;
export declare const connection: TcpConnection<Nothing>;
export declare const client: AsyncTcpConnection<Nothing>;
export declare const udpClient: AsyncUdpConnection<Nothing>;
export declare const loop: EventInterface;
export declare const request: Declared<Request>;
export declare const response: Response;
export declare const session: Session;
