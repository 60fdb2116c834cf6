// What the API reference in docs/api shows: the front door, and the shapes that appear in its signatures and have no
// name of their own there.
export * from '../index.js';
export type { ProcessStatus } from '../lib/ProcessState.js';
export type { MasterCallback } from '../lib/Settings.js';
export type { Transport } from '../lib/SocketName.js';
export type { RequestClass } from '../protocols/Http.js';
export type { Body } from '../protocols/http/body.js';
export type { HeaderObject, HeaderValue, StoredValue } from '../protocols/http/headers.js';
export type { JsonValue } from '../protocols/http/parse/json.js';
export type { Nested, NestedRecord } from '../protocols/http/parse/query.js';
export type { FileRange } from '../protocols/http/sendFile.js';
export type { RedisClient, RedisConnection } from '../protocols/http/session/RedisLink.js';
