/** When what was sent goes to the operating system. */

/** What collects bytes and can write them. */
interface Flushable {
  /** Writes what can be written now; nothing when nothing waits. */
  flush(): void;
}

/** With fewer answers in a turn, waiting for its end costs more than it saves. */
const FEW = 4;
/** So many answers are written at once before it is tried again whether waiting pays. */
const AT_ONCE = 32;

/** What their connections are handling now may still add to what they send. */
const handling: Flushable[] = [];
/** Being written one after the other. A callback of one of them may end the process before it is the next one's turn. */
let leaving: Flushable[] = [];
/** Written to in this tick. */
let sent: Flushable[] = [];
/** Answered in this turn of the event loop. */
let answered: Flushable[] = [];
/** How many that were since the turn began. */
let inTurn = 0;
let isScheduled = false;
/** The millisecond in which something came in last. */
let latest = 0;
/** So many answers are still written at once. */
let atOnce = 0;

/** Has `queue` flushed at the end of this tick. */
export function flushSoon(queue: Flushable): void {
  if (sent.length === 0) process.nextTick(flushSent);
  sent.push(queue);
}

/** From here on the connection of `queue` handles what came in, until {@link endHandling}; these may be nested. */
export function beginHandling(queue: Flushable): void {
  handling.push(queue);
}

/** The one that began last is done. */
export function endHandling(): void {
  handling.pop();
}

/**
 * Has `queue`, whose connection has just handled what came in, flushed when all that came in with it has been handled:
 * at the end of this turn of the event loop. Answers that leave one right after the other find their readers awake,
 * and waking one up is a good part of what a write costs. A turn that takes longer than a millisecond is not waited for,
 * and neither is one with few answers.
 */
export function flushWithTurn(queue: Flushable): void {
  if (atOnce > 0) {
    atOnce--;
    queue.flush();
    return;
  }
  if (!isScheduled) {
    isScheduled = true;
    setImmediate(turnEnds);
  }
  inTurn++;
  answered.push(queue);
}

/** More has come in; `now` are milliseconds. Answers of an earlier millisecond go out before it is handled. */
export function beforeInput(now: number): void {
  if (now !== latest && answered.length > 0) {
    // Handlers that take so long would make each answer wait for the next of them.
    if (answered.length < FEW) atOnce = AT_ONCE;
    flushAnswered();
  }
  latest = now;
}

function turnEnds(): void {
  isScheduled = false;
  if (inTurn < FEW) atOnce = AT_ONCE;
  inTurn = 0;
  flushAnswered();
}

function flushSent(): void {
  const queues = sent;
  sent = [];
  flushEach(queues);
}

function flushAnswered(): void {
  const queues = answered;
  answered = [];
  flushEach(queues);
}

function flushEach(queues: Flushable[]): void {
  leaving = queues;
  for (const queue of queues) queue.flush();
  leaving = [];
}

/**
 * Writes everything that waits: for the end of a tick or a turn, or for the handler that is running. For a process that
 * ends, in whatever callback that was decided.
 */
export function flushAll(): void {
  for (const queue of [...leaving, ...handling]) queue.flush();
  flushSent();
  flushAnswered();
}
