/// <reference types="node" preserve="true" />
export { Timer } from './Timer.js';
export type { EventInterface, EventLoopClass, TimerCallback } from './EventInterface.js';
