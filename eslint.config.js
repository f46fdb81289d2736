// ESLint: what the types cannot say. Type-aware rules for every TypeScript file, size limits for all.
import tseslint from 'typescript-eslint';

const unused = ['error', { argsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_', ignoreRestSiblings: true }];
const lines = (max) => ['error', { max, skipBlankLines: true, skipComments: true }];

export default tseslint.config(
  { ignores: ['node_modules/', '.cache/', '**/dist/', 'data/', 'coverage/', 'test-output/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'smart'], 'no-console': 'error', 'no-empty': 'error', 'no-fallthrough': 'error', 'no-self-compare': 'error',
      'no-unreachable': 'error', 'no-unsafe-finally': 'error', 'no-var': 'error', 'prefer-const': 'error', 'no-unreachable-loop': 'error',
      'no-constant-condition': 'error', 'no-dupe-keys': 'error', 'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }], 'require-yield': 'error', 'use-isnan': 'error',
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', {
        // node:test's own promises are awaited by the runner.
        allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'], package: 'node:test' }],
      }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // `type` everywhere; only what must merge with somebody else's declaration is an interface.
      'no-restricted-syntax': ['error', { selector: ':not(TSModuleBlock) > TSInterfaceDeclaration', message: 'Use a `type` instead of an `interface`.' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unused-vars': unused,
    },
  },
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: nodeGlobals() }, rules: { 'no-undef': 'error', 'no-unused-vars': unused } },
  // Browser tests run code inside the page, so they belong to the page's project.
  { files: ['test/e2e/**/*.ts'], languageOptions: { parserOptions: { projectService: false, project: 'visualizer/tsconfig.json' } } },
  { rules: { 'max-lines': lines(300), 'max-lines-per-function': lines(80), 'max-depth': ['error', 4], 'max-params': ['error', 4] } },
  // Programs talk to a person through the console; so do benches, scripts and tests that print figures.
  { files: ['src/main.ts', 'src/cli/**', 'src/camera-sim/{main,cli}.ts', 'test/**', 'scripts/**'], rules: { 'no-console': 'off' } },
  // A test file is one story after the other inside describe().
  { files: ['test/**', '**/*.test.ts'], rules: { 'max-lines-per-function': 'off' } },
);

function nodeGlobals() {
  const names = ['process', 'console', 'Buffer', 'URL', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'fetch', 'AbortController', 'AbortSignal', 'performance'];
  return Object.fromEntries(names.map((name) => [name, 'readonly']));
}
