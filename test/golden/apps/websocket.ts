import { serveWebsocket } from './support/websocketApp.js';

serveWebsocket();
