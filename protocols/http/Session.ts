import { FileSessionHandler } from './session/FileSessionHandler.js';
import { afterStores, inOrder } from './session/inOrder.js';
import type { SessionHandlerClass, SessionHandlerInterface } from './session/SessionHandlerInterface.js';
import type { SessionCookieParams } from './session/sessionId.js';
import { sessionSettings } from './session/sessionSettings.js';

type Data = Record<string, unknown>;

/**
 * The data of one session, as one request sees it: `await request.session()`. It is read when it is asked for, and what
 * a request has changed is stored before its answer goes out.
 *
 * What is stored is JSON: text, numbers, booleans, null, lists and records come back as they were, a class does not.
 * A change within a value that was got is not noticed; `set` the value again. Nothing is locked: of two requests that
 * change one session at a time, the last to store wins.
 */
export class Session {
  /** Name of the cookie. */
  static name: string = 'PHPSID';
  /** Max-Age of the cookie in seconds; 0: none, the cookie ends with the browser. */
  static cookieLifetime: number = 0;
  /** Path of the cookie; `''`: the folder of the request's path. */
  static cookiePath: string = '/';
  /** Domain of the cookie; `''`: the host that set it, and no other. */
  static domain: string = '';
  /** True: the browser sends the cookie over https only. */
  static secure: boolean = false;
  /** True: scripts in the page can not read the cookie. */
  static httpOnly: boolean = true;
  /** `'Lax'`, `'Strict'`, `'None'`, or `''` for none. */
  static sameSite: string = '';
  /** Old sessions are collected after a request with probability `[0] / [1]`. Default `[1, 20000]`. */
  static gcProbability: [number, number] = [1, 20000];
  /** True: the lifetime of a session begins anew with every request that reads it, also when nothing has changed. */
  static autoUpdateTimestamp: boolean = false;

  static #handlerClass: SessionHandlerClass = FileSessionHandler;
  static #handlerConfig: unknown = null;
  static #handler: SessionHandlerInterface | null = null;

  readonly #id: string;
  #data: Data;
  #changed = false;
  /** Saves that have been begun and have not ended. */
  #saving = 0;
  #onChange: (() => void) | null = null;

  /** Seconds without a write after which a stored session is dead. Default 1440. */
  static get lifetime(): number {
    return sessionSettings.lifetime;
  }

  static set lifetime(seconds: number) {
    sessionSettings.lifetime = seconds;
  }

  /**
   * The class of the store; with arguments, sets it and what its constructor gets. The store is made when it is first
   * needed, one for the process, and anew after each change here. Default `FileSessionHandler`.
   *
   * @param handlerClass a class of stores; null or left out: the one that is set stays
   * @param config what its constructor gets; left out: nothing
   */
  static handlerClass(handlerClass?: SessionHandlerClass | null, config?: unknown): SessionHandlerClass {
    if (handlerClass) Session.#handlerClass = handlerClass;
    if (config) Session.#handlerConfig = config;
    if (handlerClass || config) Session.#handler = null;
    // Where users have a stand-in of the default (lib/standIn.ts), that is the one that they know.
    const isDefault = Session.#handlerClass === FileSessionHandler;
    return isDefault ? (FileSessionHandler.prototype.constructor as SessionHandlerClass) : Session.#handlerClass;
  }

  /** What the cookie is made of, under PHP's names. */
  static getCookieParams(): SessionCookieParams {
    return {
      lifetime: Session.cookieLifetime,
      path: Session.cookiePath,
      domain: Session.domain,
      secure: Session.secure,
      httponly: Session.httpOnly,
      samesite: Session.sameSite,
    };
  }

  /** Kept for scripts that call it: Workerman reads php.ini here. */
  static init(): void {}

  /** @internal Reads a session from the store. Whatever is no JSON object counts as empty. */
  static async _load(id: string): Promise<Session> {
    await afterStores(id);
    return new Session(id, parse(await Session.#store.read(id)));
  }

  static get #store(): SessionHandlerInterface {
    if (Session.#handler === null) {
      const config = Session.#handlerConfig;
      Session.#handler = config === null ? new Session.#handlerClass() : new Session.#handlerClass(config);
    }
    return Session.#handler;
  }

  /** @internal Requests give sessions out; see `request.session()`. */
  constructor(id: string, data: Readonly<Data> = {}) {
    this.#id = id;
    this.#data = copy(data);
  }

  /** The id. */
  getId(): string {
    return this.#id;
  }

  /**
   * The value of `name`, or `defaultValue` when it is missing or null. Name the type where you know it:
   * `session.get<number>('visits', 0)`; nothing checks it.
   */
  get<Value = unknown>(name: string): Value | null;
  get<Value = unknown, Default = Value>(name: string, defaultValue: Default): Value | Default;
  get(name: string, defaultValue: unknown = null): unknown {
    return this.#data[name] ?? defaultValue;
  }

  /** Sets the value of `name`. */
  set(name: string, value: unknown): void {
    this.#data[name] = value;
    this.#mark();
  }

  /** Removes `name`. One that is missing is no error, and counts as a change too. */
  delete(name: string): void {
    delete this.#data[name];
    this.#mark();
  }

  /** {@link get}, then {@link delete}. */
  pull<Value = unknown>(name: string): Value | null;
  pull<Value = unknown, Default = Value>(name: string, defaultValue: Default): Value | Default;
  pull(name: string, defaultValue: unknown = null): unknown {
    const value = this.get(name, defaultValue);
    this.delete(name);
    return value;
  }

  /** Sets one value, or every value of a record. */
  put(name: string, value: unknown): void;
  put(values: Readonly<Record<string, unknown>>): void;
  put(names: string | Readonly<Record<string, unknown>>, value: unknown = null): void {
    if (typeof names === 'string') return this.set(names, value);
    for (const name of Object.keys(names)) this.#data[name] = names[name];
    this.#mark();
  }

  /** Deletes one name, or each of a list. */
  forget(names: string | readonly string[]): void {
    if (typeof names === 'string') return this.delete(names);
    for (const name of names) delete this.#data[name];
    this.#mark();
  }

  /** Everything, in a record of its own without a prototype. */
  all(): Record<string, unknown> {
    return copy(this.#data);
  }

  /** Empties the session; stored empty, it is gone. */
  flush(): void {
    this.#data = copy({});
    this.#mark();
  }

  /** True when `name` is there and not null. */
  has(name: string): boolean {
    return (this.#data[name] ?? null) !== null;
  }

  /** True when `name` is there, be it null. */
  exists(name: string): boolean {
    return name in this.#data;
  }

  /**
   * Stores what has changed; an empty session is removed from the store. Without a change, and with
   * `Session.autoUpdateTimestamp`, begins its lifetime anew. Requests call it by themselves. Rejects when the store
   * fails.
   */
  save(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#changed) await this.#write();
      else if (Session.autoUpdateTimestamp) await Session.#store.updateTimestamp(this.#id);
    });
  }

  /** Begins the lifetime of what is stored anew. @returns false when nothing is */
  async refresh(): Promise<boolean> {
    return inOrder(this.#id, async () => Session.#store.updateTimestamp(this.#id));
  }

  /** Removes the sessions whose lifetime is over, where the store does not do so by itself. Rejects when it fails. */
  async gc(): Promise<void> {
    await Session.#store.gc(Session.lifetime);
  }

  /** @internal Calls `onChange` at every change from now on. */
  _watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** @internal True while there is something that the store does not know for certain. */
  get _unsaved(): boolean {
    return this.#changed || this.#saving > 0;
  }

  /** @internal True when storing would remove it. */
  get _isEmpty(): boolean {
    for (const _name in this.#data) return false;
    return true;
  }

  /** @internal Settles when everything so far is stored. */
  async _store(): Promise<void> {
    if (!this._unsaved) return;
    await this.#inOrder(async () => {
      if (this.#changed) await this.#write();
    });
  }

  /** @internal As if everything in it had just been set. */
  _touch(): void {
    this.#mark();
  }

  #mark(): void {
    this.#changed = true;
    this.#onChange?.();
  }

  async #inOrder(job: () => Promise<void>): Promise<void> {
    this.#saving++;
    try {
      await inOrder(this.#id, job);
    } finally {
      this.#saving--;
    }
  }

  async #write(): Promise<void> {
    const text = this._isEmpty ? null : JSON.stringify(this.#data);
    // Before the store is asked: a change while it writes is a new one.
    this.#changed = false;
    try {
      if (text === null) await Session.#store.destroy(this.#id);
      else await Session.#store.write(this.#id, text);
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }
}

/** Names come from clients in many applications: a record without a prototype has only what was put there. */
function copy(data: Readonly<Data>): Data {
  const record = Object.create(null) as Data;
  for (const name of Object.keys(data)) record[name] = data[name];
  return record;
}

function parse(text: string | false | null): Data {
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : {};
  } catch {
    return {};
  }
}
