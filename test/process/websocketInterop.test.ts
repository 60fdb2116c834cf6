import { defineInterop } from './websocketInterop.js';

defineInterop(5000, 60);
