import { Response } from 'workerman-ts';
import { fixture } from '../support/files.js';

/** Responses with a file as their body. */
export const fileRoutes: Record<string, () => Response> = {
  '/file/txt': () => new Response().withFile(fixture('alpha.txt')),
  '/file/html': () => new Response().withFile(fixture('page.html')),
  '/file/png': () => new Response().withFile(fixture('pixel.png')),
  '/file/unknown-ext': () => new Response().withFile(fixture('data.unknownext')),
  '/file/no-ext': () => new Response().withFile(fixture('noext')),
  '/file/hidden': () => new Response().withFile(fixture('.hidden')),
  '/file/double-ext': () => new Response().withFile(fixture('archive.tar.gz')),
  '/file/space-name': () => new Response().withFile(fixture('sp ace.bin')),
  '/file/quote-name': () => new Response().withFile(fixture('quo"te.bin')),
  '/file/backslash-name': () => new Response().withFile(fixture('back\\slash.bin')),
  '/file/utf8-name': () => new Response().withFile(fixture('ünï.bin')),
  '/file/empty-txt': () => new Response().withFile(fixture('empty.txt')),
  '/file/empty-bin': () => new Response().withFile(fixture('empty.bin')),
  '/file/medium': () => new Response().withFile(fixture('medium.bin')),
  '/file/missing': () => new Response().withFile(fixture('missing.txt')),
  '/file/missing-headers': () => new Response(200, { 'X-A': 'a' }, 'ignored').withFile(fixture('missing.txt')),
  '/file/directory': () => new Response().withFile(fixture('.')),
  '/file/missing-then-body': () => new Response().withFile(fixture('missing.txt')).withBody('custom 404'),
  '/file/body-ignored': () => new Response(200, {}, 'ignored').withFile(fixture('alpha.txt')),
  '/file/content-type': () => new Response(200, { 'Content-Type': 'text/x-golden' }).withFile(fixture('alpha.txt')),
  '/file/content-type-bin': () =>
    new Response(200, { 'Content-Type': 'application/x-golden' }).withFile(fixture('data.unknownext')),
  '/file/disposition': () =>
    new Response(200, { 'Content-Disposition': 'attachment; filename="given.txt"' }).withFile(fixture('alpha.txt')),
  '/file/disposition-bin': () => new Response(200, { 'Content-Disposition': 'inline' }).withFile(fixture('noext')),
  '/file/last-modified': () =>
    new Response(200, { 'Last-Modified': 'Mon, 01 Jan 2001 00:00:00 GMT' }).withFile(fixture('alpha.txt')),
  '/file/headers': () =>
    new Response(200, { 'X-A': 'a', 'Cache-Control': 'max-age=60' }).withFile(fixture('alpha.txt')),
  '/file/headers-array': () => new Response(200, { 'X-A': ['1', '2'] }).withFile(fixture('alpha.txt')),
  '/file/cookie': () => new Response().cookie('a', '1').withFile(fixture('alpha.txt')),
  '/file/after-header': () => new Response().withFile(fixture('alpha.txt')).withHeader('X-After', '1'),
  // The application does not close the connection itself.
  '/file/conn-close': () => new Response(200, { 'Connection': 'close' }).withFile(fixture('alpha.txt')),
  '/file/status-404': () => new Response(404).withFile(fixture('page.html')),
  '/file/status-reason': () => new Response().withStatus(200, 'Here You Are').withFile(fixture('alpha.txt')),
  '/file/version-10': () => new Response().withProtocolVersion('1.0').withFile(fixture('alpha.txt')),
  '/file/twice': () => new Response().withFile(fixture('alpha.txt')).withFile(fixture('page.html')),
  '/file/big': () => new Response().withFile(fixture('big.bin')),
  '/file/upper-ext': () => new Response().withFile(fixture('UPPER.TXT')),
  '/file/unknown-status': () => new Response().withStatus(299).withFile(fixture('alpha.txt')),
  '/file/content-length': () => new Response(200, { 'Content-Length': '26' }).withFile(fixture('alpha.txt')),
  '/file/huge': () => new Response().withFile(fixture('huge.bin')),
};
