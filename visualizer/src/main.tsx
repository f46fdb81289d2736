/** Entry of the product. */
import { mount } from './mount.tsx';
import { createSocketAdapter } from './socket-adapter.ts';

mount(createSocketAdapter());
