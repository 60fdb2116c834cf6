import { Response } from 'workerman-ts';

/** Values that are sent as they are. */
export const plainValues: Record<string, unknown> = {
  '/str/plain': 'plain',
  '/str/empty': '',
  '/str/utf8': 'héllo wörld — 你好 🎉',
  '/str/crlf': 'line1\r\nline2\r\n\r\nline4',
  '/str/html': '<!doctype html><p class="x">é & \'q\'</p>',
  '/str/zero': '0',
  '/str/long': 'a'.repeat(5000),
  '/str/nul': 'a\0b',
  '/str/int': 12345,
  '/str/int0': 0,
  '/str/neg': -7,
  '/str/float': 1.5,
  '/str/null': null,
  '/str/true': true,
  '/str/false': false,
};

/** What a response tells about itself, answered as JSON. */
export const gettersOfResponse: Record<string, () => unknown> = {
  '/get/status': () => new Response(418).getStatusCode(),
  '/get/status-default': () => new Response().getStatusCode(),
  '/get/reason': () => new Response().withStatus(404, 'Gone Fishing').getReasonPhrase(),
  '/get/reason-null': () => new Response(404).getReasonPhrase(),
  '/get/header': () => new Response(200, { 'X-A': 'a' }).getHeader('X-A'),
  '/get/header-array': () => new Response(200, { 'X-A': ['a', 'b'] }).getHeader('X-A'),
  '/get/header-missing': () => new Response().getHeader('X-A'),
  '/get/headers': () => new Response(200, { 'X-A': 'a', 'X-B': ['b', 'c'] }).getHeaders(),
  '/get/headers-merged': () => new Response(200, { 'X-A': 'a' }).withHeaders({ 'X-A': 'b' }).getHeaders(),
  '/get/cookie-headers': () => new Response().cookie('a', '1').cookie('b', '2', 5).getHeaders(),
  '/get/rawbody': () => new Response(200, {}, 'the body').rawBody(),
  '/get/mime': () => ['html', 'txt', 'json', 'png', 'nope', ''].map((e) => new Response().getMimeType(e)),
  '/get/tostring': () => String(new Response(200, {}, 'x')),
};
