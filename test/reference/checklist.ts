/**
 * The names that a Workerman user may rely on, class by class. Names only: what they mean stands in the docstrings, and
 * that they behave is the business of the other tests. The tests beside this file check that each of them is exported,
 * documented and used by a test.
 */

/** A sub-path of the package; everything is exported from `'.'` as well. */
export type Door = '.' | './connection' | './protocols' | './protocols/http' | './timer';

export interface Names {
  readonly door: Door;
  /** Interfaces and option objects exist for the compiler only. */
  readonly kind: 'class' | 'interface';
  readonly constants?: readonly string[];
  readonly staticProperties?: readonly string[];
  readonly staticMethods?: readonly string[];
  readonly properties?: readonly string[];
  readonly methods?: readonly string[];
}

const ADDRESSES = [
  'getRemoteIp', 'getRemotePort', 'getRemoteAddress', 'getLocalIp', 'getLocalPort', 'getLocalAddress', 'isIpV4',
  'isIpV6',
] as const;

const WEBSOCKET_CALLBACKS = [
  'onWebSocketConnect', 'onWebSocketConnected', 'onWebSocketClose', 'onWebSocketPing', 'onWebSocketPong',
] as const;

export const CHECKLIST: Readonly<Record<string, Names>> = {
  Worker: {
    door: '.',
    kind: 'class',
    constants: [
      'VERSION', 'STATUS_INITIAL', 'STATUS_STARTING', 'STATUS_RUNNING', 'STATUS_SHUTDOWN', 'STATUS_RELOADING',
      'DEFAULT_BACKLOG', 'UI_SAFE_LENGTH', 'BUILD_IN_TRANSPORTS',
    ],
    staticProperties: [
      'daemonize', 'outputStream', 'stdoutFile', 'pidFile', 'statusFile', 'logFile', 'logFileMaxSize', 'globalEvent',
      'eventLoopClass', 'onMasterReload', 'onMasterStop', 'onWorkerExit', 'stopTimeout', 'drainTimeout', 'command',
    ],
    staticMethods: [
      'runAll', 'stopAll', 'getAllWorkers', 'getEventLoop', 'getStatus', 'isRunning', 'getGracefulStop', 'getArgv',
      'getUiColumns', 'getSingleLineTotalLength', 'log', 'safeEcho', 'resetStd', 'registerProtocol',
    ],
    properties: [
      'id', 'name', 'count', 'user', 'group', 'reloadable', 'reusePort', 'transport', 'protocol', 'connections',
      'stopping', 'eventLoop', 'onWorkerStart', 'onWorkerStop', 'onWorkerReload', 'onConnect', 'onMessage', 'onClose',
      'onError', 'onBufferFull', 'onBufferDrain', ...WEBSOCKET_CALLBACKS,
    ],
    methods: [
      'listen', 'unlisten', 'pauseAccept', 'resumeAccept', 'getSocketName', 'getMainSocket', 'setUserAndGroup', 'run',
      'stop',
    ],
  },
  SocketOptions: {
    door: './connection',
    kind: 'interface',
    properties: ['backlog', 'so_reuseport', 'ipv6_v6only', 'so_broadcast', 'tcp_nodelay', 'bindto'],
  },
  SslOptions: {
    door: './connection',
    kind: 'interface',
    properties: [
      'local_cert', 'local_pk', 'passphrase', 'cafile', 'capath', 'verify_peer', 'allow_self_signed',
      'verify_peer_name', 'peer_name', 'verify_depth', 'ciphers', 'alpn_protocols', 'honor_cipher_order', 'ecdh_curve',
      'dh_param', 'crypto_method', 'security_level', 'no_ticket', 'peer_fingerprint',
      'SNI_enabled', 'SNI_server_certs',
    ],
  },
  ConnectionInterface: {
    door: './connection',
    kind: 'class',
    constants: ['CONNECT_FAIL', 'SEND_FAIL'],
    staticProperties: ['statistics'],
    properties: ['protocol', 'onMessage', 'onClose', 'onError', 'eventLoop', 'errorHandler'],
    methods: ['error', 'send', 'close', ...ADDRESSES],
  },
  ConnectionStatistics: {
    door: './connection',
    kind: 'interface',
    properties: ['connection_count', 'total_request', 'throw_exception', 'send_fail'],
  },
  TcpConnection: {
    door: './connection',
    kind: 'class',
    constants: [
      'READ_BUFFER_SIZE', 'STATUS_INITIAL', 'STATUS_CONNECTING', 'STATUS_ESTABLISHED', 'STATUS_ENDING',
      'STATUS_CLOSING', 'STATUS_CLOSED', 'STATUS_TO_STRING', 'MAX_CACHE_STRING_LENGTH', 'MAX_CACHE_SIZE',
      'TCP_KEEPALIVE_INTERVAL',
    ],
    staticProperties: ['defaultMaxSendBufferSize', 'defaultMaxPackageSize', 'defaultLingerTimeout', 'connections'],
    properties: [
      'id', 'transport', 'worker', 'bytesRead', 'bytesWritten', 'maxSendBufferSize', 'maxPackageSize', 'lingerTimeout',
      'context', 'headers', 'protocol', 'onConnect', 'onMessage', 'onClose', 'onError', 'onBufferFull', 'onBufferDrain',
      ...WEBSOCKET_CALLBACKS, 'websocketType', 'websocketClientProtocol', 'websocketOrigin', 'websocketPingInterval',
      'eventLoop', 'errorHandler',
    ],
    methods: [
      'send', 'close', 'end', 'destroy', 'error', 'getStatus', ...ADDRESSES, 'getSendBufferQueueSize',
      'getRecvBufferQueueSize', 'bufferIsEmpty', 'pauseRecv', 'resumeRecv', 'pipe', 'consumeRecvBuffer', 'getSocket',
      'jsonSerialize', 'toJSON',
    ],
  },
  AsyncTcpConnection: {
    door: './connection',
    kind: 'class',
    constants: ['BUILD_IN_TRANSPORTS'],
    properties: [
      'proxySocks5', 'proxySocks5Username', 'proxySocks5Password', 'proxyHttp', 'proxyAuthorization', 'onConnect',
    ],
    methods: ['connect', 'reconnect', 'reConnect', 'cancelReconnect', 'getRemoteHost', 'getRemoteURI'],
  },
  UdpConnection: {
    door: './connection',
    kind: 'class',
    constants: ['MAX_UDP_PACKAGE_SIZE'],
    properties: ['transport', 'protocol', 'onMessage'],
    methods: ['send', 'close', ...ADDRESSES, 'jsonSerialize', 'toJSON'],
  },
  AsyncUdpConnection: {
    door: './connection',
    kind: 'class',
    properties: ['onConnect', 'onMessage', 'onClose'],
    methods: ['connect', 'send', 'close'],
  },
  Http: {
    door: './protocols',
    kind: 'class',
    staticProperties: ['headersTimeout', 'requestTimeout', 'keepAliveTimeout'],
    staticMethods: ['input', 'decode', 'encode', 'requestClass', 'uploadTmpDir'],
  },
  Request: {
    door: './protocols/http',
    kind: 'class',
    constants: ['MAX_CACHE_STRING_LENGTH', 'MAX_CACHE_SIZE'],
    staticProperties: ['maxFileUploads'],
    staticMethods: ['createSessionId'],
    properties: ['connection', 'context', 'properties'],
    methods: [
      'get', 'post', 'header', 'cookie', 'trailer', 'file', 'method', 'protocolVersion', 'host', 'uri', 'path',
      'queryString', 'rawHead', 'rawBody', 'rawBodyBytes', 'rawBuffer', 'toString', 'session', 'sessionId',
      'sessionRegenerateId', 'isValidSessionId', 'setChunkTrailers', 'destroy',
    ],
  },
  UploadedFile: {
    door: './protocols/http',
    kind: 'interface',
    properties: ['name', 'tmp_name', 'size', 'error', 'full_path', 'type'],
  },
  Response: {
    door: './protocols/http',
    kind: 'class',
    constants: ['PHRASES'],
    properties: ['file'],
    methods: [
      'header', 'withHeader', 'withHeaders', 'withoutHeader', 'getHeader', 'getHeaders', 'withStatus', 'getStatusCode',
      'getReasonPhrase', 'withProtocolVersion', 'withBody', 'rawBody', 'withFile', 'getMimeType', 'cookie', 'toString',
    ],
  },
  Chunk: { door: './protocols/http', kind: 'class', methods: ['toString'] },
  ServerSentEvents: { door: './protocols/http', kind: 'class', methods: ['toString'] },
  ServerSentEventFields: {
    door: './protocols/http',
    kind: 'interface',
    properties: ['', 'event', 'id', 'retry', 'data'],
  },
  Session: {
    door: './protocols/http',
    kind: 'class',
    staticProperties: [
      'name', 'lifetime', 'cookieLifetime', 'cookiePath', 'domain', 'secure', 'httpOnly', 'sameSite', 'gcProbability',
      'autoUpdateTimestamp',
    ],
    staticMethods: ['handlerClass', 'getCookieParams', 'init'],
    methods: [
      'getId', 'get', 'set', 'delete', 'pull', 'put', 'forget', 'all', 'flush', 'has', 'exists', 'save', 'refresh', 'gc',
    ],
  },
  SessionHandlerInterface: {
    door: './protocols/http',
    kind: 'interface',
    methods: ['open', 'close', 'read', 'write', 'destroy', 'gc', 'updateTimestamp'],
  },
  FileSessionHandler: {
    door: './protocols/http',
    kind: 'class',
    staticMethods: ['sessionSavePath', 'init'],
    methods: ['open', 'close', 'read', 'write', 'destroy', 'gc', 'updateTimestamp'],
  },
  RedisSessionHandler: {
    door: './protocols/http',
    kind: 'class',
    methods: [
      'open', 'close', 'read', 'write', 'destroy', 'gc', 'updateTimestamp', 'createRedisConnection',
    ],
  },
  RedisSessionConfig: {
    door: './protocols/http',
    kind: 'interface',
    properties: ['host', 'port', 'timeout', 'auth', 'database', 'prefix', 'ping', 'pool'],
  },
  RedisClusterSessionHandler: {
    door: './protocols/http',
    kind: 'class',
    methods: ['read', 'write', 'destroy', 'gc', 'updateTimestamp'],
  },
  RedisClusterSessionConfig: {
    door: './protocols/http',
    kind: 'interface',
    properties: ['host', 'timeout', 'read_timeout', 'persistent', 'auth', 'prefix'],
  },
  ProtocolInterface: {
    door: './protocols',
    kind: 'interface',
    methods: ['input', 'decode', 'encode', 'onConnect', 'onClose'],
  },
  Text: { door: './protocols', kind: 'class', staticMethods: ['input', 'decode', 'encode'] },
  Frame: { door: './protocols', kind: 'class', staticMethods: ['input', 'decode', 'encode'] },
  Websocket: {
    door: './protocols',
    kind: 'class',
    constants: [
      'BINARY_TYPE_BLOB', 'BINARY_TYPE_BLOB_DEFLATE', 'BINARY_TYPE_ARRAYBUFFER', 'BINARY_TYPE_ARRAYBUFFER_DEFLATE',
    ],
    staticProperties: ['permessageDeflate'],
    staticMethods: ['input', 'decode', 'encode', 'dealHandshake'],
  },
  Ws: {
    door: './protocols',
    kind: 'class',
    constants: ['BINARY_TYPE_BLOB', 'BINARY_TYPE_ARRAYBUFFER'],
    staticProperties: ['permessageDeflate'],
    staticMethods: ['input', 'decode', 'encode', 'onConnect', 'onClose', 'sendHandshake', 'dealHandshake'],
  },
  Timer: {
    door: './timer',
    kind: 'class',
    staticMethods: ['add', 'delay', 'repeat', 'del', 'delAll', 'sleep', 'init'],
  },
  EventInterface: {
    door: './timer',
    kind: 'interface',
    methods: [
      'delay', 'offDelay', 'repeat', 'offRepeat', 'deleteAllTimer', 'getTimerCount', 'onSignal', 'offSignal',
      'setErrorHandler', 'run', 'stop',
    ],
  },
};

/** Words of the command line. */
export const COMMANDS: readonly string[] = ['start', 'stop', 'restart', 'reload', 'status', 'connections'];
export const MODES: readonly string[] = ['-d', '-g', '-q', '-h', '--help'];
/** Signals that master and worker processes know. */
export const SIGNALS: readonly string[] = [
  'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGIOT', 'SIGIO',
];
/** Schemes of a socket name. */
export const SCHEMES: readonly string[] = ['tcp', 'udp', 'unix', 'ssl', 'http', 'websocket', 'text', 'frame'];

/**
 * Names of Workerman that are left out on purpose. The index of the reference says what there is instead, and a test
 * keeps the two together.
 */
export const ABSENT: Readonly<Record<string, readonly string[]>> = {
  // PHP's own error numbers; PHP on Windows starts its processes in another way.
  Worker: ['ERROR_TYPE', 'getStartFilesForWindows', 'forkOneWorkerForWindows'],
  // The hook for PHP's SIGALRM.
  Timer: ['signalHandle'],
  // Public in PHP because its loops call them.
  TcpConnection: ['baseRead', 'baseWrite', 'doSslHandshake', 'checkConnection'],
  // Node can not poll a raw descriptor; its streams have events.
  EventInterface: ['onReadable', 'offReadable', 'onWritable', 'offWritable', 'onExcept', 'offExcept'],
};

/** Classes of Workerman that are left out: drivers of its loops, and what stands for async functions in PHP. */
export const ABSENT_CLASSES: readonly string[] = [
  'Select', 'Event', 'Ev', 'Fiber', 'Swoole', 'Swow', 'Coroutine', 'Context', 'Channel', 'Parallel', 'Barrier',
  'WaitGroup', 'Locker', 'Pool',
];
