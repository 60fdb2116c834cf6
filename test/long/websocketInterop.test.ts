import { defineInterop } from '../process/websocketInterop.js';

defineInterop(100_000, 600);
