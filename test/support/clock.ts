import { sweep } from '../../protocols/http/limits.js';

/** The clock by which the limits of clients are kept, in the hands of a test. */
export interface Clock {
  /** So many seconds go by, in steps as the timer takes them. */
  pass(seconds: number): void;
}

/**
 * For each test of one `describe`: a clock that stands still unless the test moves it. The timer of the limits may tick
 * at any moment, so it has to see the same time.
 */
export function withClock(): Clock {
  const own = Object.getOwnPropertyDescriptor(performance, 'now');
  let now = 0;
  beforeEach(() => {
    now = 1e9;
    Object.defineProperty(performance, 'now', { value: () => now, configurable: true, writable: true });
  });
  afterEach(() => {
    if (own) Object.defineProperty(performance, 'now', own);
    else Reflect.deleteProperty(performance, 'now');
  });
  return {
    pass(seconds) {
      sweep();
      for (let i = 0; i < seconds; i++) {
        now += 1000;
        sweep();
      }
    },
  };
}
