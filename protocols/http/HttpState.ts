import type { EncodedAnswer } from './encode.js';
import type { ChunkedBody } from './parse/chunked.js';
import type { Head } from './parse/head.js';
import type { Request } from './Request.js';

/** A request that was handed out and has not been answered whole. */
export interface Outstanding {
  readonly request: Request;
  /** HEAD: its answer has no body. */
  readonly head: boolean;
  readonly http10: boolean;
}

/** What HTTP remembers about one connection. */
export class HttpState {
  // ---- the message that is arriving
  /** Bytes that were searched for the end of the head without finding it. */
  searched = 0;
  head: Head | null = null;
  chunked: ChunkedBody | null = null;
  continued = false;

  // ---- what was handed out
  /** In the order in which they came. */
  readonly outstanding: Outstanding[] = [];
  /** A request has said that it is the last one of its connection: what comes behind it is thrown away. */
  lastSeen = false;

  // ---- the answer that is under way in pieces
  streaming: EncodedAnswer | null = null;
  /** The last answer is complete and ends the connection. */
  endNow = false;

  /** Back to the beginning of a message. */
  messageDone(): void {
    this.searched = 0;
    this.head = null;
    this.chunked = null;
    this.continued = false;
  }
}
