/**
 * Where pages find the signalling server. Browsers open cameras for pages of this machine and for https only, so for
 * the world this has to be a `wss://` address, and the page be served with TLS too.
 */
export const signallingAddress = 'ws://127.0.0.1:8877';
