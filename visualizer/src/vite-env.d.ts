/** What Vite imports that is no TypeScript. */
declare module '*.css';

/** The same player without subtitles, alternative audio and DRM, which has no types of its own. */
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}
