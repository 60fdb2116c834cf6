/** Where a conversation with a proxy stands after some more of its bytes have come. */
export type ProxyStep =
  /** Send `send` (perhaps nothing) and wait for more. */
  | { readonly state: 'open'; readonly send: Buffer }
  /**
   * The tunnel stands. `send` still has to be said to the proxy (one that answers before it was asked), `rest` is what
   * the target itself has sent already.
   */
  | { readonly state: 'connected'; readonly send: Buffer; readonly rest: Buffer }
  /** `reason` is the text for `onError`. */
  | { readonly state: 'failed'; readonly reason: string };

/**
 * What is said to a proxy before a connection through it can be used. Knows no socket: bytes in, bytes out. The bytes
 * that come in may be cut anywhere.
 */
export interface ProxyDialogue {
  /** The first words, or the reason why there can be none. */
  begin(): ProxyStep;
  /** More bytes from the proxy. Not called any more after `connected` or `failed`. */
  receive(bytes: Buffer): ProxyStep;
  /** The proxy has hung up. @returns the text for `onError` */
  interrupted(): string;
}

export const NOTHING: Buffer = Buffer.alloc(0);

/** @returns the step that waits for more without a word */
export const wait = (): ProxyStep => ({ state: 'open', send: NOTHING });
