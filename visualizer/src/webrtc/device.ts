/** mediasoup-client devices, one per set of router capabilities; this file is the entry of the player library's own chunk. */
import { detectDeviceAsync, Device, type types } from 'mediasoup-client';
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111';
import { Chrome74 } from 'mediasoup-client/handlers/Chrome74';
import { Firefox120 } from 'mediasoup-client/handlers/Firefox120';
import { Safari12 } from 'mediasoup-client/handlers/Safari12';
import { bridgeProfiles, listedProfiles, type ProfileBridge } from './profiles.ts';

export type LoadedDevice = { device: Device; profiles: ProfileBridge };

type Factory = types.HandlerFactory;
type Native = Factory['getNativeRtpCapabilities'];

/** Routers of one server offer the same; past this the oldest device goes. */
const maxDevices = 16;
const handlers: Partial<Record<string, { createFactory(options: types.HandlerFactoryOptions): Factory }>> = { Chrome111, Chrome74, Firefox120, Safari12 };
const devices = new Map<string, Promise<LoadedDevice>>();
let factory: Promise<Factory | undefined> | undefined;

/** Asks the browser what it can do, so that the first join need not: two peer connections, some 50 ms. */
export function prepare(): void {
  factory ??= rememberingFactory();
  void factory.then((made) => Promise.all([made?.getNativeRtpCapabilities({ direction: 'recvonly' }), made?.getNativeRtpCapabilities({ direction: 'sendonly' })])).catch(() => undefined);
}

/** The device for these capabilities, loaded. */
export function loadDevice(capabilities: unknown): Promise<LoadedDevice> {
  const key = JSON.stringify(capabilities);
  const known = devices.get(key);
  if (known) return known;
  const device = load(capabilities as types.RtpCapabilities);
  devices.set(key, device);
  device.catch(() => devices.delete(key));
  const [oldest] = devices.keys();
  if (devices.size > maxDevices && oldest !== undefined) devices.delete(oldest);
  return device;
}

async function load(router: types.RtpCapabilities): Promise<LoadedDevice> {
  const profiles = bridgeProfiles(router, listedProfiles());
  factory ??= rememberingFactory();
  const handlerFactory = await factory;
  const device = await Device.factory(handlerFactory ? { handlerFactory } : {});
  await device.load({ routerRtpCapabilities: profiles.routerCapabilities });
  return { device, profiles };
}

/** The handler for this browser, asking it each question once; undefined where the library has to choose or to refuse. */
async function rememberingFactory(): Promise<Factory | undefined> {
  // By plain http over a network nothing but this name is told, and of a browser without a window the library does not know it.
  const name = await detectDeviceAsync(navigator.userAgent.replace('HeadlessChrome/', 'Chrome/'));
  const made = name === undefined ? undefined : handlers[name]?.createFactory({});
  if (!made) return undefined;
  const answers = new Map<string, ReturnType<Native>>();
  const getNativeRtpCapabilities: Native = (options) => {
    const answer = answers.get(options.direction) ?? made.getNativeRtpCapabilities(options);
    answers.set(options.direction, answer);
    answer.catch(() => answers.delete(options.direction));
    return answer;
  };
  return { ...made, getNativeRtpCapabilities };
}
