/** What Vite imports that is no TypeScript. */
declare module '*.css';
