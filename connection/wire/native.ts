/**
 * The part of Node below its sockets: no public API. Each member was looked at in Node 20, 22 and 24, and every one that
 * is used is checked here when the process starts; where one is missing the package uses Node's public sockets instead.
 */

/** A request that libuv works on: a write, or a FIN. */
export interface NativeRequest {
  oncomplete: ((this: NativeRequest, status: number) => void) | null;
  /** Keeps alive what is being written. */
  buffer?: unknown;
  /** Whose it is. */
  wire?: unknown;
}

/** A stream of libuv as Node shows it to its own sockets. */
export interface NativeHandle {
  /** Called for every read; `this` is the handle, the figures are in {@link Native.state}. */
  onread: ((this: NativeHandle) => void) | null;
  readonly writeQueueSize: number;
  /** The descriptor, where there are such. */
  readonly fd?: number;
  /** Whose it is. */
  wire?: unknown;
  readStart(): number;
  readStop(): number;
  useUserBuffer(memory: Uint8Array): void;
  writeBuffer(request: NativeRequest, bytes: Uint8Array): number;
  writeUtf8String(request: NativeRequest, text: string): number;
  writeLatin1String(request: NativeRequest, text: string): number;
  writev(request: NativeRequest, chunks: unknown[], allBuffers: boolean): number;
  shutdown(request: NativeRequest): number;
  close(): void;
  getpeername?(out: { address?: string; port?: number }): number;
  getsockname?(out: { address?: string; port?: number }): number;
}

/** What Node's streams share with libuv. */
export interface Native {
  /** Figures of the last read or write, at the places below. */
  readonly state: Int32Array;
  /** Bytes read, or a negative error number. */
  readonly read: number;
  /** Bytes of the last write, taken or not. */
  readonly written: number;
  /** Not 0: libuv still works on the last write. */
  readonly wasAsync: number;
  readonly WriteRequest: new () => NativeRequest;
  readonly ShutdownRequest: new () => NativeRequest;
}

/** `process.binding` is deprecated in the docs only; whoever asks to be told of that shall not be told because of us. */
function complainsAboutBindings(): boolean {
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  return process.env['NODE_PENDING_DEPRECATION'] === '1' || flags.includes('--pending-deprecation');
}

function detect(): Native | null {
  if (process.env['WORKERMAN_TS_PUBLIC_SOCKETS'] === '1' || complainsAboutBindings()) return null;
  try {
    const { binding } = process as unknown as { binding(name: string): Record<string, unknown> };
    const stream = binding.call(process, 'stream_wrap');
    const native: Native = {
      state: stream['streamBaseState'] as Int32Array,
      read: stream['kReadBytesOrError'] as number,
      written: stream['kBytesWritten'] as number,
      wasAsync: stream['kLastWriteWasAsync'] as number,
      WriteRequest: stream['WriteWrap'] as Native['WriteRequest'],
      ShutdownRequest: stream['ShutdownWrap'] as Native['ShutdownRequest'],
    };
    const isWhole = native.state instanceof Int32Array
      && [native.read, native.written, native.wasAsync].every((at) => Number.isInteger(at) && native.state[at] !== undefined)
      && typeof new native.WriteRequest() === 'object' && typeof new native.ShutdownRequest() === 'object';
    return isWhole ? native : null;
  } catch {
    return null;
  }
}

/** Null: only Node's public sockets can be used, because this Node is another one or `WORKERMAN_TS_PUBLIC_SOCKETS=1` says so. */
export const native: Native | null = detect();

const METHODS = [
  'readStart', 'readStop', 'useUserBuffer', 'writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writev', 'shutdown', 'close',
] as const;

/** What handles with everything that is used of them inherit from. */
const known = new Set<unknown>();

/** True for a handle that has everything that is used of it. */
export function isNativeHandle(handle: unknown): handle is NativeHandle {
  if (typeof handle !== 'object' || handle === null) return false;
  const kind: unknown = Object.getPrototypeOf(handle);
  if (known.has(kind)) return true;
  if (!isWhole(handle)) return false;
  known.add(kind);
  return true;
}

function isWhole(handle: object): boolean {
  const members = handle as Record<string, unknown>;
  return METHODS.every((name) => typeof members[name] === 'function')
    && typeof members['writeQueueSize'] === 'number' && 'onread' in handle;
}
