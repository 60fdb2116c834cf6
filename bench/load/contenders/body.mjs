// What is said of an upload: its length and a few of its bytes, so that the answer shows that it was there.
export function described(body) {
  return `${body.length} ${[1, 2, 3, 4].map((part) => body[Math.floor((body.length * part) / 5)]).join(' ')}`;
}
