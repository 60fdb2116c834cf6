import { from, type Micro } from './harness.js';

const { applyMask, copyUnmasked, unmaskToScratch } =
  await from<typeof import('../../protocols/websocket/mask.js')>('protocols/websocket/mask.js');

const KEY = 0x12345678;

export const micros: readonly Micro[] = [32, 128, 1024, 65_536].flatMap((size): Micro[] => {
  // Behind the header of a frame, as it is in life: not at the beginning of a word.
  const bytes = Buffer.alloc(size + 6, 'x');
  const target = Buffer.alloc(size);
  return [
    { name: `applyMask, ${size} bytes`, run: () => applyMask(bytes, 6, size + 6, KEY) },
    { name: `copyUnmasked, ${size} bytes`, run: () => copyUnmasked(bytes, 6, size + 6, KEY, target) },
    { name: `unmaskToScratch, ${size} bytes`, run: () => unmaskToScratch(bytes, 6, size + 6, KEY) },
  ];
});
