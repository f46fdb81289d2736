/**
 * A prebuilt worker from mediasoup's releases. It runs as a process of its own: name resolution cannot be cancelled
 * inside a process, and a machine whose network swallows packets must not hold set-up up.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode } from './node.mjs';
import { run } from './run.mjs';

const CONNECT_MS = 5000;
const TOTAL_MS = 60_000;

/** Where mediasoup publishes the worker for this machine; the same rule as the package's own install script. */
export const prebuiltUrl = ({ version, repository }, machine, base = process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL) => {
  const releases = base || `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/releases/download`;
  const kernel = machine.platform === 'linux' ? `-kernel${machine.kernel.split('.')[0]}` : '';
  return `${releases}/${version}/mediasoup-worker-${version}-${machine.platform}-${machine.arch}${kernel}.tgz`;
};

/** Downloads to `target`. Resolves to why not, or to undefined when the file is there. Never rejects. */
export const fetchPrebuilt = async (mediasoup, target) => {
  if (process.env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) return 'MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD is set';
  const machine = { platform: process.platform, arch: process.arch, kernel: release() };
  const url = prebuiltUrl(JSON.parse(readFileSync(join(mediasoup, 'package.json'), 'utf8')), machine);
  try {
    // NODE_USE_ENV_PROXY: Node's fetch follows https_proxy only when asked to.
    await run([findNode().bin, fileURLToPath(import.meta.url), url, target], { deadlineMs: TOTAL_MS, env: { NODE_USE_ENV_PROXY: '1' } });
    return undefined;
  } catch (error) {
    return error.message.split('\n').at(-1);
  }
};

const download = async (url, target) => {
  const connecting = new AbortController();
  const deadline = setTimeout(() => connecting.abort(new Error(`no answer within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
  const response = await fetch(url, { signal: connecting.signal });
  clearTimeout(deadline);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const directory = mkdtempSync(join(dirname(target), 'download-'));
  try {
    const archive = join(directory, 'worker.tgz');
    writeFileSync(archive, Buffer.from(await response.arrayBuffer()));
    const { status } = spawnSync('tar', ['-xzf', archive, '-C', directory, 'mediasoup-worker'], { stdio: 'inherit' });
    if (status !== 0) throw new Error('the archive cannot be unpacked');
    chmodSync(join(directory, 'mediasoup-worker'), 0o755);
    renameSync(join(directory, 'mediasoup-worker'), target);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await download(process.argv[2], process.argv[3]);
  } catch (error) {
    console.error(error.cause?.code ?? error.cause?.message ?? error.message);
    process.exit(1);
  }
  // A resolver that still hangs must not keep the process.
  process.exit(0);
}
