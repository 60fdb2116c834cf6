import { WorkermanError } from '../errors.js';
import type { ProtocolInterface } from './ProtocolInterface.js';

/**
 * Scheme → protocol. A leaf: the front doors enter the built-in protocols here, users add theirs through
 * `Worker.registerProtocol`, and connections and workers only look things up. So a worker that speaks raw TCP never
 * loads HTTP, and no protocol is imported by the connection that speaks it.
 */

const SCHEME = /^[a-zA-Z][a-zA-Z0-9]*$/;
const TRANSPORTS = ['tcp', 'udp', 'unix', 'ssl'];

const builtIn = new Map<string, ProtocolInterface>();
const registered = new Map<string, ProtocolInterface>();

const upperFirst = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Enters a protocol of the package. `name` is its class name (`'Http'`). */
export function registerBuiltIn(name: string, protocol: ProtocolInterface): void {
  builtIn.set(name, protocol);
}

/**
 * Enters a user's protocol under a scheme name, compared with its first letter upper-cased; it wins over a built-in.
 *
 * @throws WorkermanError `WM_PROTOCOL_NAME` for a name off the pattern or naming a transport, `WM_PROTOCOL_CLASS` when
 * `decode` or `encode` is not a function.
 */
export function registerProtocol(name: string, protocol: ProtocolInterface): void {
  if (typeof name !== 'string' || !SCHEME.test(name)) {
    throw new WorkermanError('WM_PROTOCOL_NAME', `Invalid protocol scheme '${String(name)}': expected a letter, then letters and digits`);
  }
  if (TRANSPORTS.includes(name.toLowerCase())) {
    throw new WorkermanError('WM_PROTOCOL_NAME', `Protocol scheme '${name}' is a transport and can not be registered`);
  }
  for (const member of ['decode', 'encode'] as const) {
    if (typeof (protocol as Partial<ProtocolInterface> | null | undefined)?.[member] !== 'function') {
      throw new WorkermanError('WM_PROTOCOL_CLASS', `Protocol '${name}' needs a static function ${member}(), got ${typeof protocol?.[member]}`);
    }
  }
  registered.set(upperFirst(name), protocol);
}

/**
 * The protocol of a scheme.
 *
 * @throws WorkermanError `WM_INVALID_SCHEME` when the scheme is not a word, `WM_UNKNOWN_SCHEME` when nothing is
 * registered under it.
 */
export function resolveProtocol(scheme: string): ProtocolInterface {
  if (!SCHEME.test(scheme)) throw new WorkermanError('WM_INVALID_SCHEME', `Invalid protocol scheme '${scheme}'`);
  const name = upperFirst(scheme);
  const protocol = registered.get(name) ?? builtIn.get(name);
  if (!protocol) {
    throw new WorkermanError(
      'WM_UNKNOWN_SCHEME',
      `Unknown protocol scheme '${scheme}': register it with Worker.registerProtocol('${scheme}', ProtocolClass)`,
    );
  }
  return protocol;
}
