/** mediasoup-client devices, one per set of router capabilities; this file is the entry of the player library's own chunk. */
import { Device, type types } from 'mediasoup-client';
import { bridgeProfiles, listedProfiles, type ProfileBridge } from './profiles.ts';

export type LoadedDevice = { device: Device; profiles: ProfileBridge };

/** Routers of one server offer the same; past this the oldest device goes. */
const maxDevices = 16;
const devices = new Map<string, Promise<LoadedDevice>>();

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
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: profiles.routerCapabilities });
  return { device, profiles };
}
