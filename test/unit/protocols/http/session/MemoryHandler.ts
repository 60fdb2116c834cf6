import type { SessionHandlerInterface } from '../../../../../protocols/http/session/SessionHandlerInterface.js';
import { Session } from '../../../../../protocols/http/Session.js';

/** A store in memory that writes down what it is asked, and can be slow or broken. */
export class MemoryHandler implements SessionHandlerInterface {
  readonly stored: Map<string, string> = new Map();
  /** Every call that changes something, in order: `'write id'`. */
  readonly calls: string[] = [];
  /** What a call waits for before it does anything. */
  gate: ((call: string) => Promise<void> | void) | null = null;

  open(): boolean {
    throw new Error('open is never called');
  }

  close(): boolean {
    throw new Error('close is never called');
  }

  async read(id: string): Promise<string | false> {
    await this.gate?.(`read ${id}`);
    return this.stored.get(id) ?? false;
  }

  async write(id: string, data: string): Promise<boolean> {
    await this.#note(`write ${id}`);
    this.stored.set(id, data);
    return true;
  }

  async destroy(id: string): Promise<boolean> {
    await this.#note(`destroy ${id}`);
    return this.stored.delete(id);
  }

  async gc(maxLifetime: number): Promise<boolean> {
    await this.#note(`gc ${maxLifetime}`);
    return true;
  }

  async updateTimestamp(id: string): Promise<boolean> {
    await this.#note(`touch ${id}`);
    return this.stored.has(id);
  }

  /** What is stored under `id`. */
  data(id: string): unknown {
    const text = this.stored.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async #note(call: string): Promise<void> {
    await this.gate?.(call);
    this.calls.push(call);
  }
}

/** Lets `Session` use a new {@link MemoryHandler} before each test, and what it used before afterwards. */
export function useMemory(): { handler: MemoryHandler } {
  const used = { handler: new MemoryHandler() };
  const { gcProbability } = Session;
  const before_ = Session.handlerClass();
  beforeEach(() => {
    const handler = (used.handler = new MemoryHandler());
    // A constructor may give another object than its own.
    Session.handlerClass(class { constructor() { return handler; } } as unknown as typeof MemoryHandler);
    Session.gcProbability = [0, 1];
  });
  after(() => {
    Session.handlerClass(before_);
    Session.gcProbability = gcProbability;
  });
  return used;
}
