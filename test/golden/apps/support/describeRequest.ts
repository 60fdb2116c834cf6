import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Response } from 'workerman-ts';
import type { Request } from 'workerman-ts';
import { asMap, json } from './json.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Upload {
  name: string;
  tmp_name: string;
  size: number;
  error: number;
  type: string;
  full_path?: string;
}

const isUpload = (node: object): node is Upload => typeof (node as Partial<Upload>).tmp_name === 'string';

/** The tree of uploaded files, each with a digest of its content in place of its path. */
function describeFiles(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(describeFiles);
  if (typeof node !== 'object' || node === null) return node;
  if (isUpload(node)) {
    const { name, size, error, type, full_path } = node;
    return { name, size, error, type, full_path, sha256: error === 0 ? sha256(readFileSync(node.tmp_name)) : null };
  }
  // A field may be called __proto__; it stays a name like any other.
  const described: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, child] of Object.entries(node)) described[name] = describeFiles(child);
  return described;
}

/** The answer of the programs `echo` and `limits`: all that the request says of itself. */
export function describeRequest(request: Request): Response {
  const body = request.rawBodyBytes();
  return new Response(200, { 'Content-Type': 'application/json' }, json({
    method: request.method(),
    path: request.path(),
    uri: request.uri(),
    queryString: request.queryString(),
    protocolVersion: request.protocolVersion(),
    host: request.host() ?? null,
    hostNoPort: request.host(true) ?? null,
    get: asMap(request.get()),
    post: asMap(request.post()),
    cookie: asMap(request.cookie()),
    header: asMap(request.header()),
    files: asMap(describeFiles(request.file())),
    rawBodySha256: sha256(body),
    rawBodyLength: body.length,
    trailer: asMap(request.trailer()),
  }));
}
