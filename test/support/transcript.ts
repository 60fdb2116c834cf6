import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { connectPeer, type Peer } from './transcriptPeers.js';

/**
 * Plays a conversation of several clients with a server over real sockets, word for word.
 *
 * A step is one of
 *
 * - `["A", ">", "text"]`: A sends;
 * - `["A", "<", "text"]`: A receives exactly this, and nothing before it;
 * - `["A", "~", "pattern"]`: A receives something that begins with what the regular expression finds; its named groups
 *   become variables;
 * - `["A", "nothing"]`: A has received nothing;
 * - `["A", "closed"]`: the server has closed A's connection;
 * - `["A", "close"]`: A closes it.
 *
 * Text that begins with `hex:` is bytes in hexadecimal, for patterns too. `%name%` is a variable; among
 * hexadecimal digits it is a port, written as four of them.
 */
export interface Transcript {
  /** Who takes part, and what it connects to: `websocket://%port%`, `tcp://…` or `udp://…`. */
  peers: Readonly<Record<string, string>>;
  steps: readonly Step[];
}

type Step = readonly [peer: string, action: '>' | '<' | '~' | 'nothing' | 'closed' | 'close', text?: string];

/** Ports and other things that are known only when a test runs. */
export type Variables = Record<string, number | string>;

/** Reads `test/examples/transcripts/NAME.json`. */
export function readTranscript(name: string): Transcript {
  const file = new URL(`../examples/transcripts/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Transcript;
}

/** Plays it to the end. Nobody may have received anything else by then. */
export async function play({ peers, steps }: Transcript, variables: Variables): Promise<void> {
  const known = { ...variables };
  const connected = new Map<string, Peer>();
  const peer = async (name: string): Promise<Peer> => {
    const address = peers[name];
    if (address === undefined) throw new Error(`The transcript does not say what ${name} connects to`);
    const found = connected.get(name) ?? (await connectPeer(fill(address, known)));
    connected.set(name, found);
    return found;
  };
  try {
    for (const [index, step] of steps.entries()) {
      const where = `step ${index + 1}, ${JSON.stringify(step)}`;
      await playStep(await peer(step[0]), step, known, where);
    }
    for (const [name, left] of connected) expect(left.unread(), `what ${name} has received in the end`).to.equal('');
  } finally {
    for (const left of connected.values()) left.destroy();
  }
}

async function playStep(peer: Peer, [, action, text = '']: Step, known: Variables, where: string): Promise<void> {
  switch (action) {
    case '>':
      return peer.send(bytesOf(fill(text, known)));
    case '<': {
      const wanted = fill(text, known);
      const received = await peer.receive(bytesOf(wanted).length);
      return void expect(spell(received, wanted), where).to.equal(wanted);
    }
    case '~': {
      const match = await peer.receiveMatch(fill(text, known));
      if (match === null) throw new Error(`${where} got ${peer.unread()}`);
      for (const [name, value] of Object.entries(match)) known[name] = value;
      return;
    }
    case 'nothing':
      await peer.settle();
      return void expect(peer.unread(), where).to.equal('');
    case 'closed':
      await peer.closed();
      return void expect(peer.unread(), where).to.equal('');
    case 'close':
      return peer.close();
  }
}

/** The text with its variables. */
function fill(text: string, known: Variables): string {
  return text.replace(/%(\w+)%/g, (_, name: string) => {
    const value = known[name];
    if (value === undefined) throw new Error(`${name} is not known`);
    return text.startsWith('hex:') ? Number(value).toString(16).padStart(4, '0') : String(value);
  });
}

const bytesOf = (text: string): Buffer => (text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex') : Buffer.from(text));

/** Received bytes in the manner in which the wanted ones are written. */
const spell = (bytes: Buffer, wanted: string): string =>
  wanted.startsWith('hex:') ? `hex:${bytes.toString('hex')}` : bytes.toString();
