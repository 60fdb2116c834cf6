import type { ProxyDialogue } from '../../../../connection/proxy/ProxyDialogue.js';

/** All that a conversation has led to. */
export interface Outcome {
  state: 'open' | 'connected' | 'failed';
  /** What was said to the proxy, in hex. */
  said: string;
  rest: string;
  reason: string;
}

/** Lets `dialogue` begin and hands it the proxy's bytes piece by piece, those after the end to nobody. */
export function converse(dialogue: ProxyDialogue, pieces: readonly Uint8Array[]): Outcome {
  const outcome: Outcome = { state: 'open', said: '', rest: '', reason: '' };
  let step = dialogue.begin();
  const left = [...pieces];
  for (;;) {
    if (step.state !== 'failed') outcome.said += step.send.toString('hex');
    if (step.state !== 'open') {
      outcome.state = step.state;
      if (step.state === 'failed') outcome.reason = step.reason;
      // What was not handed over any more belongs to the target, too.
      else outcome.rest = Buffer.concat([step.rest, ...left]).toString('hex');
      return outcome;
    }
    const piece = left.shift();
    if (piece === undefined) return outcome;
    step = dialogue.receive(Buffer.from(piece));
  }
}
