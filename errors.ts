/**
 * The table of codes that the package throws. A code is stable, its message may change; `docs/errors.md` explains
 * each and a test compares the two.
 */
export const ERROR_CODES = {
  WM_INVALID_SCHEME: 'the scheme of a socket name is not a word',
  WM_UNKNOWN_SCHEME: 'no protocol is registered under the scheme of a socket name',
  WM_PROTOCOL_NAME: 'a protocol can not be registered under this name',
  WM_PROTOCOL_CLASS: 'a protocol lacks one of its static functions',
  WM_BAD_TRANSPORT: 'worker.transport is none of tcp, udp, unix, ssl',
  WM_BAD_ADDRESS: 'the address of a socket name can not be parsed',
  WM_LISTEN: 'an address can not be listened on',
  WM_CERTIFICATE: 'a file named in the ssl context can not be read',
  WM_BAD_REMOTE_ADDRESS: 'the address given to a client connection can not be parsed',
  WM_BAD_DATA: 'a value can not be sent by the protocol of the connection',
  WM_NO_LOOP: 'there is no event loop in this process',
  WM_TIMER_ENVIRONMENT: 'Timer was used before a Worker was constructed',
  WM_BAD_TIMER: 'a timer got an interval or a callback that it can not use',
  WM_EVENT_LOOP_CLASS: 'the class in Worker.eventLoopClass is not an event loop',
  WM_OUTPUT_STREAM: 'Worker.outputStream is not a stream',
  WM_SETTING: 'a static property of Worker was set to a value of the wrong type',
  WM_START_FILE: 'the start script is not a file',
  WM_PID_FILE: 'the pid file can not be written',
  WM_SESSION: 'a session id can not be used',
  WM_CLIENT_GONE: 'the client left, or broke the rules, before its request had arrived whole',
  WM_BODY_TOO_LARGE: 'a request body is longer than the limit given to readBody()',
  WM_BODY_STREAMED: 'the body of a streamed request was asked for before it was read, or a second time',
} as const;

/** A code of the table {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * Every error that the package itself throws. `code` is one of {@link ERROR_CODES}, or for failures of the operating
 * system its own code (`'EADDRINUSE'`), so that `error.code` is always the thing to compare.
 */
export class WorkermanError extends Error {
  /** One of {@link ERROR_CODES}, or the code of the operating system. */
  readonly code: ErrorCode | (string & {});

  /**
   * For the package, and for protocols that want to fail in the same way.
   *
   * @param options `cause`: the error behind this one
   */
  constructor(code: ErrorCode | (string & {}), message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WorkermanError';
    this.code = code;
  }
}

/** As {@link WorkermanError}, for a value of the wrong type, where PHP throws a TypeError too. */
export class WorkermanTypeError extends TypeError {
  /** One of {@link ERROR_CODES}. */
  readonly code: ErrorCode;

  /**
   * For the package, and for protocols that want to fail in the same way.
   *
   * @param message what was expected and what came
   */
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
