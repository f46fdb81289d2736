/** Everything that one mediasoup worker holds, told by mediasoup itself: whatever makes a router or a transport, it is in here. */
import type { AppData, Consumer, Producer, Router, Transport, Worker } from 'mediasoup/types';
import { streamOfKey } from '../streams.ts';

/** What it is for: the path of a camera, a viewer, an edge for the payload types of somebody's offer, or a primer. */
export type MediaRole = 'ingest' | 'viewer' | 'edge' | 'primer';

/** What whoever makes it writes to it; `camera` is the key of a stream. `role` where it is not what its kind says. */
export type MediaLabel = { camera: string; viewer?: string; role?: MediaRole };

/** The living objects, oldest first. */
export type Inventory = { routers(): Router[]; transports(): Transport[]; producers(): Producer[]; consumers(): Consumer[] };

/** Begins with a worker that has no router yet. */
export function takeInventory(worker: Worker): Inventory {
  const held = { routers: new Set<Router>(), transports: new Set<Transport>(), producers: new Set<Producer>(), consumers: new Set<Consumer>() };
  worker.observer.on('newrouter', (router) => {
    keep(held.routers, router);
    router.observer.on('newtransport', (transport) => {
      keep(held.transports, transport);
      transport.observer.on('newproducer', (producer) => keep(held.producers, producer));
      transport.observer.on('newconsumer', (consumer) => keep(held.consumers, consumer));
    });
  });
  return { routers: () => [...held.routers], transports: () => [...held.transports], producers: () => [...held.producers], consumers: () => [...held.consumers] };
}

/** The label of an object, as the world reads it: `stream` where it belongs to a camera's second one. */
export function labelOf({ appData }: { appData: AppData }): MediaLabel & { stream?: 'sub' } {
  const label = appData as MediaLabel;
  const { camera, stream } = streamOfKey(label.camera);
  return stream === 'main' ? label : { ...label, camera, stream };
}

function keep<T extends { observer: { once(event: 'close', listener: () => void): unknown } }>(all: Set<T>, one: T): void {
  all.add(one);
  one.observer.once('close', () => void all.delete(one));
}
