// Runs in the master.
import type { EventLoopClass } from '../../timer/EventInterface.js';
import type { BindAddress } from '../bindSocket.js';

/** What the master needs of a Worker. */
export interface SupervisedWorker {
  name: string;
  user: string;
  group: string;
  count: number;
  reloadable: boolean;
  reusePort: boolean;
  transport: string;
  eventLoop: EventLoopClass | null;
  readonly _hasSocket: boolean;
  readonly _backlog: number;
  /** Made where the Worker was. */
  readonly _origin: Error;
  getSocketName(): string;
  _resolve(): BindAddress;
}
