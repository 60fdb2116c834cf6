/// <reference types="node" preserve="true" />
import './lib/earlySignals.js';
import './protocols/builtIns.js';

export { ERROR_CODES, WorkermanError, WorkermanTypeError } from './errors.js';
export type { ErrorCode } from './errors.js';
export * from './connection/index.js';
export * from './protocols/index.js';
export * from './timer/index.js';
export { Worker } from './lib/types.js';
export type { ConnectionOf, MessageOf, WorkerConstructor } from './lib/types.js';
export type { HeartbeatOptions } from './lib/Heartbeat.js';
export { EventLoop } from './lib/EventLoop.js';
export type {
  ConnectionReport, ConnectionsReport, ExitCount, ProcessReport, ProcessState, StatusReport, WorkerReport,
} from './lib/control/messages.js';
