// Video calls between browsers. Start it with: npx tsx examples/webrtc-signalling/start.ts start
// Then open http://127.0.0.1:8878/ in two windows.
import { Worker } from 'workerman-ts';
import './start_signalling.js';
import './start_web.js';

// Every file that is imported makes its worker; this starts them all.
Worker.runAll();
