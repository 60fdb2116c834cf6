import type { TcpConnection } from '../../../connection/TcpConnection.js';
import type { ProtocolInterface } from '../../../protocols/ProtocolInterface.js';
import { open } from './peers.js';

/** A connection whose messages are written down. `act` runs for each. */
export async function reader(
  protocol: ProtocolInterface | null,
  act: (connection: TcpConnection, message: string) => unknown = () => {},
): Promise<Awaited<ReturnType<typeof open>> & { messages: string[] }> {
  const messages: string[] = [];
  const pair = await open((c) => {
    c.protocol = protocol;
    c.onMessage = (self: TcpConnection, data: unknown) => {
      messages.push(String(data));
      return act(self, String(data));
    };
    c.onClose = () => void messages.push('(close)');
    c.onError = () => void messages.push('(error)');
  });
  return { ...pair, messages };
}
