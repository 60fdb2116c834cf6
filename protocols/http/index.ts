import '../builtIns.js';

export { Chunk } from './Chunk.js';
export { Request } from './Request.js';
export type { PostValue, QueryValue } from './Request.js';
export { Response } from './Response.js';
export { ServerSentEvents } from './ServerSentEvents.js';
export type { ServerSentEventFields, ServerSentEventValue } from './ServerSentEvents.js';
