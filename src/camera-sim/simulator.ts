/** The camera simulator: cameras behind one RTSP port, or behind one each, scripted while they run. */
import { Listener } from './listener.ts';
import { Mount } from './mount.ts';
import { Ticker } from './ticker.ts';
import type { Behaviour, Incident, MountConfig, MountStats, SimulatorConfig } from './types.ts';

/** A running simulator. Every call throws for a camera that does not exist. */
export type Simulator = {
  /** Address without credentials. */
  url(mount: string): string;
  /** Address with the credentials the camera asks for, where it asks for any. */
  urlWithCredentials(mount: string): string;
  /** Changes parts of a camera's behaviour; resolves when its port is open or closed accordingly. */
  script(mount: string, change: Partial<Behaviour>): Promise<void>;
  act(mount: string, incident: Incident): Promise<void>;
  stats(mount: string): MountStats;
  close(): Promise<void>;
};

const expiryCheckMs = 500;

/** Starts serving; resolves when every port listens. */
export async function createSimulator({ mounts: configs, port: wanted = 0, host = '127.0.0.1', tls }: SimulatorConfig): Promise<Simulator> {
  const ticker = new Ticker();
  const perMount = wanted === 'per-mount';
  const mounts = new Map<string, Mount>();
  const listeners = new Map<string, Listener>();
  const find = (uri: string): Mount | undefined => mounts.get(/^rtsps?:\/\/[^/]+\/([^/?]+)/u.exec(uri)?.[1] ?? '');
  const get = (name: string): Mount => known(mounts, name);
  const listener = (name: string): Listener => known(listeners, perMount ? name : '');

  const add = (config: MountConfig): void => {
    if (!/^[a-z0-9][a-z0-9_-]*$/u.test(config.name) || mounts.has(config.name)) throw new Error(`"${config.name}" is no unique camera name`);
    const mount: Mount = new Mount(config, { ticker, onListen: () => void (perMount && listeners.get(config.name)?.set(mount.listening)) });
    mounts.set(config.name, mount);
  };
  for (const config of configs) add(config);
  for (const mount of perMount ? mounts.values() : [undefined]) {
    const own = new Listener({ host, port: typeof wanted === 'number' ? wanted : mount?.config.port ?? 0, find, only: mount, tls });
    listeners.set(mount?.config.name ?? '', own);
    await own.set(true);
    if (mount && !mount.listening) await own.set(false);
  }
  const expiry = setInterval(() => {
    for (const mount of mounts.values()) mount.expire(performance.now());
  }, expiryCheckMs);

  const url = (name: string): string => `${tls ? 'rtsps' : 'rtsp'}://${host.includes(':') ? `[${host}]` : host}:${listener(name).port}/${get(name).config.name}`;
  return {
    url,
    urlWithCredentials(name) {
      const credentials = get(name).config.auth?.credentials;
      if (!credentials) return url(name);
      return url(name).replace('//', `//${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`);
    },
    async script(name, change) {
      if (!perMount && change.listen === 'closed') throw new Error('Only a camera with a port of its own can refuse connections: start with port "per-mount"');
      get(name).script(change);
      await listener(name).settled();
    },
    async act(name, incident) {
      get(name).act(incident);
      await listener(name).settled();
    },
    stats: (name) => ({ url: url(name), ...get(name).stats() }),
    async close() {
      clearInterval(expiry);
      for (const mount of mounts.values()) mount.close();
      await Promise.all([...listeners.values()].map((one) => one.set(false)));
    },
  };
}

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`There is no camera "${name}"`);
  return value;
}
