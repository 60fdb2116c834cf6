/// <reference types="node" preserve="true" />
import './builtIns.js';

export { Frame } from './Frame.js';
export { Http } from './Http.js';
export { Text } from './Text.js';
export { Websocket } from './Websocket.js';
export { Ws } from './Ws.js';
export type { Bytes, ProtocolInterface, UserValue } from './ProtocolInterface.js';
export * from './http/index.js';
