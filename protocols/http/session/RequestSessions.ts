import { Session } from '../Session.js';

/** The session that a request has at present. */
interface Current {
  readonly id: string;
  readonly session: Promise<Session>;
  /** Null while it is being read. */
  loaded: Session | null;
}

/**
 * The sessions of one request: the one that it has, and those that it had before it took another id. Knows when they
 * have to be stored: before the answer, when the handler has settled, when the connection has closed, and for what is
 * changed later still, on the next turn of the event loop.
 */
export class RequestSessions {
  readonly #fail: (error: unknown) => void;
  readonly #attend: (work: Promise<void>) => void;
  readonly #all: Session[] = [];
  /** Those that have had their last save and their draw for the collection of old sessions. */
  readonly #finished = new Set<Session>();
  #current: Current | null = null;
  /** The work that is done by itself, one step after the other. Never rejects. */
  #work: Promise<void> = Promise.resolve();
  #settled: boolean;
  #failed = false;
  #scheduled = false;

  /**
   * @param fail gets what goes wrong in saves that nobody waits for. After the first failure nothing more is tried.
   * @param attend gets those saves, so that a process does not exit over them
   * @param settled true when no handler is there whose end would be told
   */
  constructor(fail: (error: unknown) => void, attend: (work: Promise<void>) => void, settled: boolean) {
    this.#fail = fail;
    this.#attend = attend;
    this.#settled = settled;
  }

  /** The session `id`: read once, until another is asked for. A failure is not remembered. */
  load(id: string): Promise<Session> {
    if (this.#current?.id === id) return this.#current.session;
    const session = this.#load(id);
    const current: Current = { id, session, loaded: null };
    this.#current = current;
    session.then(
      (loaded) => {
        current.loaded = loaded;
      },
      () => {
        if (this.#current === current) this.#current = null;
      },
    );
    return session;
  }

  async #load(id: string): Promise<Session> {
    await this.#work;
    const session = await Session._load(id);
    this.#adopt(session);
    return session;
  }

  /** Gives the present session up: its changes are stored, and the next {@link load} reads. */
  leave(): void {
    this.#current = null;
    if (this.unsaved) this.#inBackground(() => this.#storeAll());
  }

  /**
   * Moves the data of the present session to a new one under `id`. The old one is emptied, or stays.
   * @param old the session if none is present, because another id was taken a moment ago
   */
  move(old: Session, id: string, empty: boolean): Session {
    // Of two moves at a time, the second takes what the first has made.
    const from = this.#current?.loaded ?? old;
    const session = new Session(id, from.all());
    if (!session._isEmpty) session._touch();
    if (empty) from.flush();
    this.#adopt(session);
    this.#current = { id, session: Promise.resolve(session), loaded: session };
    return session;
  }

  /** True when an answer has to wait for {@link store}. */
  get unsaved(): boolean {
    return !this.#failed && this.#all.some((session) => session._unsaved);
  }

  /** Stores everything that has changed. Rejects when that fails. */
  store(): Promise<void> {
    return this.#then(() => this.#storeAll());
  }

  /** The handler has returned, or its promise has settled. */
  settle(): void {
    this.#settled = true;
    if (this.#all.length > 0) this.#inBackground(() => this.#finish());
  }

  /** The connection has closed. A handler that is still at work is followed by {@link settle}. */
  closed(): void {
    if (this.unsaved) this.#inBackground(() => this.#storeAll());
  }

  #adopt(session: Session): void {
    this.#all.push(session);
    session._watch(() => this.#late());
    this.#late();
  }

  /** Something that the end of the handler was too early for. */
  #late(): void {
    if (!this.#settled || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#inBackground(() => this.#finish());
    });
  }

  async #storeAll(): Promise<void> {
    for (const session of this.#inSafeOrder()) await session._store();
  }

  async #finish(): Promise<void> {
    for (const session of this.#inSafeOrder()) {
      if (this.#finished.has(session)) {
        await session._store();
        continue;
      }
      this.#finished.add(session);
      await session.save();
      collectSometimes(session);
    }
  }

  /** Those to be removed last: when a session moves to a new id, it must be there before it is gone from the old. */
  #inSafeOrder(): Session[] {
    const { length } = this.#all;
    if (length < 2) return this.#all;
    return [...this.#all.filter((one) => !one._isEmpty), ...this.#all.filter((one) => one._isEmpty)];
  }

  #then(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#failed ? undefined : step()));
    this.#work = done.catch(() => {
      this.#failed = true;
    });
    return done;
  }

  #inBackground(step: () => Promise<void>): void {
    this.#attend(this.#then(step).catch(this.#fail));
  }
}

/** Once for each session, with a small probability; nobody waits for it, and a failure is only told. */
function collectSometimes(session: Session): void {
  const [chance, of] = Session.gcProbability;
  if (!(Math.random() * of < chance)) return;
  session.gc().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    process.emitWarning(`Old sessions could not be collected: ${reason}`);
  });
}
