// ---- Reports: what `status` and `connections` show, and the shape that `--json` prints --------------------------

/**
 * How a process presented itself when it was asked: `idle` answered in time, `draining` answered too but accepts
 * nothing new (it was replaced by a graceful reload), `busy` did not answer because its JavaScript is not yielding.
 */
export type ProcessState = 'idle' | 'busy' | 'draining';

/** One worker process in a {@link StatusReport}. The figures of a busy process are unknown, hence `null`. */
export interface ProcessReport {
  /** Process id. */
  pid: number;
  /** `name` of the Worker that the process serves (the outer one when it has inner Workers). */
  name: string;
  /** Socket name of that Worker, `'none'` without a socket. */
  listening: string;
  /** Resident set size in bytes. */
  memory: number | null;
  /** Live TCP connections, accepted and outgoing. */
  connections: number | null;
  /** Failed sends since the process started. */
  sendFail: number | null;
  /** Timers of user code that are still to fire. */
  timers: number | null;
  /** Messages handled since the process started. */
  totalRequest: number | null;
  /** Messages handled since the previous sample of `status -d`; 0 in a first sample. */
  qps: number | null;
  /** See {@link ProcessState}. */
  state: ProcessState;
}

/** How often processes of a Worker ended in one way. */
export interface ExitCount {
  /** Raw wait status: exit code times 256, or the number of the signal that killed the process. */
  status: number;
  /** Number of processes that ended so since the master started. */
  count: number;
}

/** One Worker of the start script in a {@link StatusReport}. */
export interface WorkerReport {
  /** `worker.name`. */
  name: string;
  /** Name of the event loop, `'node'` for the built-in one. */
  eventLoop: string;
  /** `worker.getSocketName()`. */
  socketName: string;
  /** How its processes ended, in the order in which each status was first seen; empty when none has. */
  exits: ExitCount[];
}

/** Everything `status` shows. Times are milliseconds since 1970. */
export interface StatusReport {
  /** Base name of the start script. */
  script: string;
  /** `DEBUG` is the foreground, `DAEMON` the background. */
  mode: 'DEBUG' | 'DAEMON';
  /** Version of this package. */
  version: string;
  /** Version of Node without a leading `v`. */
  node: string;
  /** Operating system and its release, as in `Linux/6.1.0`. */
  os: string;
  /** When the master started. */
  startTime: number;
  /** When the report was made. */
  now: number;
  /** Load average of the machine over 1, 5 and 15 minutes. */
  loadavg: number[];
  /** Workers in the order of their construction. */
  workers: WorkerReport[];
  /** Worker processes; the table sorts them by pid. */
  processes: ProcessReport[];
}

/** One TCP, TLS or unix connection of a worker process, accepted or outgoing. Sizes are bytes. */
export interface ConnectionReport {
  /** Process that holds the connection. */
  pid: number;
  /** Name of the Worker that accepted it; for an outgoing one the Worker of the process. */
  worker: string;
  /** `connection.id`, unique within the process. */
  id: number;
  /** `tcp`, `ssl` or `unix`. */
  transport: string;
  /** Class name of the connection's protocol, `null` without one. */
  protocol: string | null;
  /** The peer is reached over IPv4. */
  ipv4: boolean;
  /** The peer is reached over IPv6. */
  ipv6: boolean;
  /** Received and not yet consumed. */
  recvQueue: number;
  /** Handed to `send()` and not yet taken by the system. */
  sendQueue: number;
  /** Received since the connection began. */
  bytesRead: number;
  /** Sent since the connection began. */
  bytesWritten: number;
  /** Name of the connection's status, `ESTABLISHED` for example. */
  status: string;
  /** Own end as `ip:port`. */
  localAddress: string;
  /** Peer's end as `ip:port`. */
  remoteAddress: string;
}

/** Everything `connections` shows. Processes that did not answer in time have no rows. */
export interface ConnectionsReport {
  /** Base name of the start script. */
  script: string;
  /** Connections of all processes; the table sorts them by pid, then by id. */
  connections: ConnectionReport[];
}

// ---- End of the reports -----------------------------------------------------------------------------------------
