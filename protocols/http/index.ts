/// <reference types="node" preserve="true" />
import '../builtIns.js';

export type { RequestBody } from './BodyStream.js';
export { Chunk } from './Chunk.js';
export type { DirectoryOptions } from './directory.js';
export { Request } from './Request.js';
export type { PostValue, QueryValue } from './Request.js';
export { Response } from './Response.js';
export { ServerSentEvents } from './ServerSentEvents.js';
export type { ServerSentEventFields, ServerSentEventValue } from './ServerSentEvents.js';
export type { StreamBody } from './streamBody.js';
export { Session } from './Session.js';
export { FileSessionHandler } from './session/FileSessionHandler.js';
export type { FileSessionConfig } from './session/FileSessionHandler.js';
export { RedisClusterSessionHandler } from './session/RedisClusterSessionHandler.js';
export type { RedisClusterSessionConfig } from './session/RedisClusterSessionHandler.js';
export { RedisSessionHandler } from './session/RedisSessionHandler.js';
export type { RedisSessionConfig } from './session/RedisSessionHandler.js';
export type { SessionHandlerClass, SessionHandlerInterface } from './session/SessionHandlerInterface.js';
export type { SessionCookieParams } from './session/sessionId.js';
export type { FileValue, UploadedFile } from './uploads.js';
