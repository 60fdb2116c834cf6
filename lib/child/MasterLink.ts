// Runs in a worker process.
import { readInbox } from '../control/inbox.js';
import { sendToParent, type ToMaster, type ToWorker } from '../control/ipc.js';
import type { BindAddress } from '../bindSocket.js';
import type { ForeignHandle, SocketProvider } from '../Listener.js';
import { WorkermanError } from '../../errors.js';

type Answer = { message: ToWorker; handle: unknown };

/** The worker process's end of the channel to its master: orders come in, sockets and reports are exchanged. */
export class MasterLink implements SocketProvider {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastRequest = 0;

  readonly #onOrder: (message: ToWorker) => void;
  readonly #onLost: () => void;

  /**
   * @param onOrder gets every message that is not an answer
   * @param onLost the master is gone
   */
  constructor(onOrder: (message: ToWorker) => void, onLost: () => void) {
    this.#onOrder = onOrder;
    this.#onLost = onLost;
  }

  /** Begins to listen; what has come before is handed over now. */
  open(): void {
    readInbox((message, handle) => {
      if (message.type === 'bound' || message.type === 'socket') this.#answered(message, handle);
      else this.#onOrder(message);
    });
    if (process.connected) process.once('disconnect', this.#onLost);
    else this.#onLost();
  }

  send(message: ToMaster): void {
    sendToParent(message);
  }

  async bind(address: BindAddress, own: boolean): Promise<number> {
    const { message } = await this.#ask((request) => ({ type: 'bind', request, address, own }));
    if (message.type !== 'bound') throw new WorkermanError('WM_LISTEN', 'The master gave no answer about an address');
    if (message.error) throw new WorkermanError(message.error.code, message.error.message);
    return message.port;
  }

  async acquire(address: BindAddress, own: boolean): Promise<ForeignHandle> {
    const { handle } = await this.#ask((request) => ({ type: 'acquire', request, address, own }));
    if (!handle) throw new WorkermanError('WM_LISTEN', `The master has no socket for ${address.display}`);
    return { handle };
  }

  release(address: BindAddress, own: boolean): void {
    this.send({ type: 'release', address, own });
  }

  #ask(build: (request: number) => ToMaster): Promise<Answer> {
    const request = ++this.#lastRequest;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.send(build(request));
    });
  }

  #answered(message: ToWorker & { request: number }, handle: unknown): void {
    const resolve = this.#waiting.get(message.request);
    this.#waiting.delete(message.request);
    resolve?.({ message, handle });
  }
}
