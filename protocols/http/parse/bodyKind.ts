import { lowerAscii } from './head.js';
import { multipartBoundary } from './multipart.js';

/** How a body is to be read. */
export interface BodyKind {
  /** Of a multipart body; null for any other. */
  readonly boundary: string | null;
  readonly isJson: boolean;
}

/** What a `Content-Type` says about its body. */
export function bodyKindOf(type: string): BodyKind {
  return { boundary: multipartBoundary(type), isJson: lowerAscii(type).includes('json') };
}
