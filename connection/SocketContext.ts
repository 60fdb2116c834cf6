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

/** A fingerprint in hex (MD5, SHA-1 or SHA-256, told by its length), or fingerprints by the name of their algorithm. */
export type PeerFingerprint = string | Readonly<Record<string, string>>;

/**
 * Options of `context.ssl`, named as in PHP. Files are read when the listener starts, by a client at each connect.
 * Unknown keys, and those of PHP for which Node has nothing (`verify_depth`, `disable_compression`), are ignored.
 */
export interface SslOptions {
  /** Path of a PEM file: certificate, chain, optionally the key. */
  local_cert?: string;
  /** Path of the PEM key; default the `local_cert` file. */
  local_pk?: string;
  /** Opens an encrypted key. */
  passphrase?: string;
  /** File with the certificates of the authorities that are trusted; default: those that Node brings. */
  cafile?: string;
  /** Folder with such files. */
  capath?: string;
  /** Server: require a client certificate (default false). Client: verify the server's (default true). */
  verify_peer?: boolean;
  /** Client: the certificate must carry this name (default true). */
  verify_peer_name?: boolean;
  /** Client: the name verified and sent as SNI, in place of the host's. */
  peer_name?: string;
  /** With `verify_peer`: a certificate that signed itself will do, though no authority knows it (default false). */
  allow_self_signed?: boolean;
  /** The peer's certificate must be this one. */
  peer_fingerprint?: PeerFingerprint;
  /** No effect. */
  verify_depth?: number;
  /** OpenSSL's notation; default: Node's. */
  ciphers?: string;
  /** Server: its order of ciphers counts, not the client's (default true). */
  honor_cipher_order?: boolean;
  /** OpenSSL's level 0 to 5 for what is accepted; default: that of the library. */
  security_level?: number;
  /** Names of curves, separated by colons. */
  ecdh_curve?: string;
  /** Server: path of a PEM file with Diffie-Hellman parameters. */
  dh_param?: string;
  /** Versions of TLS as a sum of PHP's `STREAM_CRYPTO_METHOD_*` bits: 32 for 1.2, 64 for 1.3. Default: Node's. */
  crypto_method?: number;
  /** Server: no session tickets. */
  no_ticket?: boolean;
  /** Names of application protocols, comma-separated, best first: `'h2,http/1.1'`. */
  alpn_protocols?: string;
  /** Client: send the host's name (default true). Server: false turns `SNI_server_certs` off. */
  SNI_enabled?: boolean;
  /** Host name (or `*.name`) → path of its certificate, or paths of certificate and key. */
  SNI_server_certs?: Readonly<Record<string, string | { local_cert: string; local_pk?: string }>>;
  [key: string]: unknown;
}

/** The second argument of a Worker and of client connections; the nesting and the names are PHP's. */
export interface SocketContext {
  /** Options of the socket. */
  socket?: SocketOptions;
  /** Options of TLS, read when the transport is `'ssl'`. */
  ssl?: SslOptions;
  [key: string]: unknown;
}
