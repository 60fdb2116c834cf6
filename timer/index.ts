export { Timer } from './Timer.js';
export type { EventInterface, EventLoopClass, TimerCallback } from './EventInterface.js';
