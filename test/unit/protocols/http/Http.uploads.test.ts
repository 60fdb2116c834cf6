import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TcpConnection } from '../../../../connection/TcpConnection.js';
import { Http } from '../../../../protocols/Http.js';
import { Chunk } from '../../../../protocols/http/Chunk.js';
import type { Request } from '../../../../protocols/http/Request.js';
import { Response } from '../../../../protocols/http/Response.js';
import type { UploadedFile } from '../../../../protocols/http/uploads.js';
import { Text } from '../../../../protocols/Text.js';
import { catchReports, closeAll, open, until, type Peer } from '../../connection/peers.js';
import { uploadRequest } from './multipartBody.js';

const UPLOAD = uploadRequest([{ name: 'f', filename: 'x', content: 'content' }]);

type Handler = (connection: TcpConnection, request: Request) => unknown;

describe('uploaded files on a connection', () => {
  const reports = catchReports();
  let folder: string;

  const files = (): string[] => readdirSync(folder);
  const pathOf = (request: Request): string => request.file<UploadedFile>('f')!.tmp_name;

  async function serve(onMessage: Handler, bytes: Uint8Array = UPLOAD): Promise<{ connection: TcpConnection; peer: Peer }> {
    const ends = await open((connection) => {
      connection.protocol = Http;
      connection.onMessage = onMessage;
    });
    await ends.peer.write(bytes);
    return ends;
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workerman-ts-uploads-'));
    Http.uploadTmpDir(folder);
  });

  afterEach(closeAll);
  afterEach(() => {
    Http.uploadTmpDir('');
    rmSync(folder, { recursive: true, force: true });
    expect(reports.failures).to.deep.equal([]);
  });

  it('are there throughout a handler that answers first, and gone behind it', async () => {
    let seen = '';
    const { peer } = await serve((connection, request) => {
      const path = pathOf(request);
      connection.send('answer');
      seen = readFileSync(path, 'utf8');
    });
    await peer.gets(/answer/);
    expect(seen).to.equal('content');
    expect(files()).to.deep.equal([]);
  });

  it('are gone when the handler settles that has given the connection to another protocol', async () => {
    let seen = '';
    const { connection } = await serve(async (given, request) => {
      const path = pathOf(request);
      given.protocol = Text;
      await new Promise((resolve) => setImmediate(resolve));
      seen = readFileSync(path, 'utf8');
    });
    await until(() => seen !== '' && !connection._busy);
    expect(seen).to.equal('content');
    expect(files()).to.deep.equal([]);
  });

  it('are gone when the handler settles that has given the connection to another protocol and taken it back', async () => {
    let isDone = false;
    const { connection } = await serve(async (given, request) => {
      pathOf(request);
      given.protocol = Text;
      given.protocol = Http;
      given.send('taken back');
      await new Promise((resolve) => setImmediate(resolve));
      isDone = true;
    });
    await until(() => isDone && !connection._busy);
    expect(files()).to.deep.equal([]);
  });

  it('are gone when the connection is given to another protocol behind its handler', async () => {
    const { connection } = await serve((_c, request) => void pathOf(request));
    await until(() => files().length === 1 && !connection._busy);
    connection.protocol = class extends Http {};
    expect(files()).to.have.length(1);
    connection.protocol = null;
    expect(files()).to.deep.equal([]);
  });

  it('stay until an async handler has settled, long after the answer', async () => {
    let finish = (): void => {};
    const { peer } = await serve(async (connection, request) => {
      pathOf(request);
      connection.send('answer');
      await new Promise<void>((resolve) => (finish = resolve));
    });
    await peer.gets(/answer/);
    expect(files()).to.have.length(1);
    finish();
    await until(() => files().length === 0);
  });

  it('stay until the answer, long after the handler', async () => {
    let path = '';
    const { connection, peer } = await serve((_connection, request) => {
      path = pathOf(request);
    });
    await until(() => path !== '');
    await new Promise((resolve) => setImmediate(resolve));
    expect(files()).to.have.length(1);
    connection.send(new Response(200, { 'Transfer-Encoding': 'chunked' }, 'a'));
    connection.send(new Chunk('b'));
    expect(files()).to.have.length(1);
    connection.send(new Chunk(''));
    expect(files()).to.deep.equal([]);
    await peer.gets(/0\r\n\r\n$/);
  });

  it('may themselves be the answer', async () => {
    const { peer } = await serve((connection, request) => {
      connection.send(new Response().withFile(pathOf(request)));
    });
    expect(await peer.gets(/content$/)).to.match(/Content-Length: 7\r\n/);
    expect(files()).to.deep.equal([]);
  });

  it('of pipelined requests are told apart', async () => {
    const paths: string[] = [];
    const { connection, peer } = await serve((_connection, request) => {
      paths.push(pathOf(request));
    }, Buffer.concat([UPLOAD, UPLOAD, UPLOAD]));
    await until(() => paths.length === 3);
    const names = paths.map((path) => path.slice(folder.length + 1));
    for (let answered = 1; answered <= 3; answered++) {
      connection.send('answer');
      expect(files().sort()).to.deep.equal(names.slice(answered).sort());
    }
    await peer.gets(/(answer.*){3}/s);
  });

  it('are gone with the connection, whatever the handler is at', async () => {
    let path = '';
    let again = '';
    let finish = (): void => {};
    const { peer } = await serve(async (_connection, request) => {
      path = pathOf(request);
      await new Promise<void>((resolve) => (finish = resolve));
      // Asked for again: one is missing, so it is written anew.
      again = readFileSync(pathOf(request), 'utf8');
    });
    await until(() => path !== '');
    await peer.reset();
    await until(() => files().length === 0);
    finish();
    await until(() => again === 'content' && files().length === 0);
  });

  it('are gone when the handler fails', async () => {
    const { connection } = await serve((_connection, request) => {
      pathOf(request);
      throw new Error('no');
    });
    connection.errorHandler = () => connection.close(new Response(500));
    await until(() => files().length === 0 && connection.getStatus() === 16);
  });
});
