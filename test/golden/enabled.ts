/**
 * The groups of recorded cases that this version of the package has to pass, program by program. A group is added when
 * its feature is; none is ever taken out.
 */
export const ENABLED: Readonly<Record<string, readonly string[]>> = {
  'echo': [
    'method', 'target', 'version', 'host', 'header', 'length', 'te', 'smuggle', 'chunked', 'query', 'form', 'json',
    'multipart', 'cookie', 'http10', 'pipeline', 'fin', 'wait', 'split-get', 'split-form', 'split-chunked',
  ],
  'limits': ['package', 'chunked', 'uploads'],
  'responses': [
    'str', 'resp', 'with', 'evil', 'get', 'cookie', 'cookie-value', 'chunk', 'chunks', 'sse', 'raw', 'close', 'delay',
    'status', 'status-empty', 'status-headers', 'string', 'pipeline', 'fin', 'slow', 'file', 'mime', 'range', 'big',
  ],
  'session': ['data', 'regenerate', 'cookie'],
  'session-params': ['cookie'],
  'session-min': ['cookie'],
  'text': ['text'],
  'text-limits': ['limit'],
  'udp-text': ['text'],
  'unix-text': ['text'],
  'frame': ['frame'],
  'frame-limits': ['limit'],
  'tcp': ['raw'],
  'tcp-greet': ['greet'],
  'unix': ['raw'],
  'udp': ['raw'],
  'jsonline': ['protocol'],
  'websocket': [
    'handshake', 'handshake-bad', 'message', 'fragment', 'ping', 'pong', 'close', 'violation', 'deflate',
  ],
  'websocket-limits': ['limit'],
};

/** What waits for its feature: groups, and single cases of other groups. */
export const NOT_YET: Readonly<Record<string, readonly string[]>> = {};
