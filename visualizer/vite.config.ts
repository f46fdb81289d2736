/** How the page is built: one entry for the product; the fake fleet of design work and browser tests only with `VITE_FAKE=1`. */
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

const fake = process.env['VITE_FAKE'] === '1';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [preact({ reactAliasesEnabled: false })],
  build: {
    target: 'es2022',
    outDir: process.env['VITE_OUT_DIR'] ?? 'dist',
    emptyOutDir: true,
    // The strict Content-Security-Policy of the server allows no data: fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: fake ? ['visualizer/index.html', 'visualizer/fake.html'].map((file) => `${import.meta.dirname}/../${file}`) : `${import.meta.dirname}/index.html` },
  },
});
