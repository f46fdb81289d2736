/** Debian packages: what is needed, what is missing, and installing it where we may. */
import { existsSync, readFileSync } from 'node:fs';
import { SetupProblem } from './problem.mjs';
import { run, succeeds } from './run.mjs';

/** To run: GStreamer with the elements the pipelines use, and what builds the addon. */
export const RUNTIME = [
  'gstreamer1.0-tools', 'gstreamer1.0-plugins-base', 'gstreamer1.0-plugins-good', 'gstreamer1.0-plugins-bad',
  'gstreamer1.0-plugins-ugly', 'gstreamer1.0-libav', 'libgstreamer1.0-dev', 'libgstreamer-plugins-base1.0-dev',
  'g++', 'make', 'pkg-config', 'python3', 'util-linux',
];

/** Beyond RUNTIME, to build mediasoup's worker where no prebuilt one can be had. */
export const WORKER = [
  'cmake', 'ninja-build', 'flatbuffers-compiler', 'libflatbuffers-dev',
  'libuv1-dev', 'libssl-dev', 'libsrtp2-dev', 'libabsl-dev',
];

/** To test: a browser, foreign RTSP programs, a WHEP player on GStreamer's webrtcbin, a reader of recordings (gst-discoverer), a font for the screenshots, and a gRPC client in another language. */
export const TESTS = [
  'chromium', 'ffmpeg', 'python3-gi', 'gir1.2-gst-rtsp-server-1.0', 'gir1.2-gst-plugins-bad-1.0', 'gstreamer1.0-nice', 'gstreamer1.0-plugins-base-apps', 'fonts-dejavu-core', 'iproute2',
  'protobuf-compiler', 'protobuf-compiler-grpc', 'libprotobuf-dev', 'python3-grpcio', 'python3-protobuf',
];

/** Those of `wanted` that are not installed, by dpkg's own word. */
export const missingPackages = async (wanted) => {
  const installed = new Set();
  const format = '-f=${Package} ${db:Status-Status}\\n';
  // dpkg-query ends with 1 when one name is unknown to it; what it printed is right all the same.
  const lines = await run(['sh', '-c', 'dpkg-query -W "$@" 2>/dev/null || true', 'sh', format, ...wanted]);
  for (const line of lines) {
    const [name, status] = line.split(' ');
    if (status === 'installed') installed.add(name);
  }
  return wanted.filter((name) => !installed.has(name));
};

/**
 * How this machine installs packages: the words in front of `apt-get`, or why it cannot.
 * @param {{ isDebian: boolean, isRoot: boolean, hasSudo: boolean, canPrompt: boolean }} machine
 */
export const installer = ({ isDebian, isRoot, hasSudo, canPrompt }) => {
  if (!isDebian) return { problem: 'not-debian' };
  if (isRoot) return { prefix: ['env'] };
  if (!hasSudo) return { problem: 'not-allowed' };
  // Without a terminal sudo must not wait for a password nobody can type.
  return { prefix: canPrompt ? ['sudo', 'env'] : ['sudo', '-n', 'env'] };
};

/** What the operator reads when we may not install: the exact commands. */
export const manualInstructions = (problem, missing) => {
  const names = missing.join(' ');
  if (problem === 'not-debian') {
    return `This machine is not Debian (no apt-get and dpkg-query), so set-up cannot install what is missing.\nLookout is made for Debian 12; there these packages have it:\n\n  ${names}\n`;
  }
  return `These Debian packages are missing, and set-up may not install them (not root, and sudo does not let us).\nRun this as root, then the command again:\n\n  apt-get update && apt-get install -y --no-install-recommends ${names}\n`;
};

/**
 * Installs `missing`; `step` is told how far it is.
 * @param {string[]} missing
 * @param {{ report: (text: string) => void }} step
 * @param {string[]} later packages a later step may want: where the operator has to type, one command is to be enough
 */
export const installPackages = async (missing, step, later = []) => {
  const { prefix, problem } = installer(await thisMachine());
  if (problem) throw new SetupProblem(manualInstructions(problem, [...missing, ...(await missingPackages(later))]));
  const aptGet = (...args) =>
    run([...prefix, 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...APT_OPTIONS, ...args], {
      what: 'Installing Debian packages',
      onLine: (line) => reportApt(line, step),
    });
  step.report(`${missing.length} to install, asking for the current lists`);
  await aptGet('update');
  await aptGet('install', '-y', '--no-install-recommends', ...missing);
};

const APT_OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', '-o', 'APT::Status-Fd=1'];

/** apt's machine-readable progress: `dlstatus:1:12.5:Retrieving file 3 of 24`, `pmstatus:cmake:40.1:Unpacking cmake`. */
const reportApt = (line, step) => {
  const status = /^(dlstatus|pmstatus):[^:]*(?::[^:]*)?:([\d.]+):(.*)$/.exec(line);
  if (status) step.report(`${status[1] === 'dlstatus' ? 'downloading' : 'installing'} ${Math.floor(Number(status[2]))} %, ${status[3]}`);
};

const thisMachine = async () => {
  const isRoot = process.getuid?.() === 0;
  const canPrompt = process.stdin.isTTY === true;
  return {
    isDebian: debianLike() && (await succeeds(['sh', '-c', 'command -v apt-get && command -v dpkg-query'])),
    isRoot,
    canPrompt,
    hasSudo: !isRoot && (await succeeds(canPrompt ? ['sudo', '-V'] : ['sudo', '-n', 'true'])),
  };
};

const debianLike = () =>
  existsSync('/etc/os-release') && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
