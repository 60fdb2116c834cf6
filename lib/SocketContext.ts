/** Options of `context.socket`; unknown keys are ignored, as in PHP. */
export interface SocketOptions {
  /** Clients that may wait to be accepted; the kernel caps it. Default 102400. */
  backlog?: number;
  /** Same as `worker.reusePort = true`. */
  so_reuseport?: boolean | number;
  /** Do not take IPv4 clients on an IPv6 address. */
  ipv6_v6only?: boolean | number;
  /** UDP: may send to broadcast addresses. */
  so_broadcast?: boolean | number;
  /** No effect: always on. */
  tcp_nodelay?: boolean | number;
  /** Client connections: `ip:port` to bind to before connecting; port 0 = any. */
  bindto?: string;
  [key: string]: unknown;
}

/** Options of `context.ssl`, named as in PHP. */
export interface SslOptions {
  /** Path of a PEM file: certificate, chain, optionally the key. */
  local_cert?: string;
  /** Path of the PEM key; default the `local_cert` file. */
  local_pk?: string;
  passphrase?: string;
  /** File with the certificates of the authorities that are trusted. */
  cafile?: string;
  /** Folder with such files. */
  capath?: string;
  /** Server: require a client certificate (default false). Client: verify the server's (default true). */
  verify_peer?: boolean;
  /** Client: the certificate must carry this name (default true). */
  verify_peer_name?: boolean;
  /** Client: the name verified and sent as SNI, in place of the host's. */
  peer_name?: string;
  allow_self_signed?: boolean;
  verify_depth?: number;
  ciphers?: string;
  /** Comma-separated. */
  alpn_protocols?: string;
  SNI_enabled?: boolean;
  /** Host name → certificate path, or paths of certificate and key. */
  SNI_server_certs?: Record<string, string | { local_cert: string; local_pk?: string }>;
  [key: string]: unknown;
}

/** The second argument of a Worker and of client connections; the nesting and the names are PHP's. */
export interface SocketContext {
  socket?: SocketOptions;
  ssl?: SslOptions;
  [key: string]: unknown;
}
