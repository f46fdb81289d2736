/** Entry of design work and browser tests: `fake.html?fake=36&trouble=1&flap=2000&fps=5&login=1`. */
import { mount } from '../mount.tsx';
import { createFakeAdapter } from './adapter.ts';
import type { FakeControl } from './server.ts';

declare global {
  /** Only in this entry. */
  var fake: FakeControl;
}

const query = new URLSearchParams(location.search);
const number = (name: string, otherwise: number): number => Number(query.get(name) ?? otherwise);
const { adapter, control } = createFakeAdapter({
  count: number('fake', 4), trouble: number('trouble', 0) > 0, flapMs: number('flap', 0), fps: number('fps', 5), loggedIn: query.get('login') === null,
});
globalThis.fake = control;
mount(adapter);
