/** When set-up runs `npm ci`, and with which npm. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanNpmEnvironment, npm, npmIsCurrent, sameTree } from '../../scripts/setup/npm-packages.mjs';

const locked = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/other-system': { version: '2.0.0', integrity: 'sha512-o', optional: true },
};
const { '': _project, 'node_modules/other-system': _other, ...installed } = locked;

describe('the npm packages step', () => {
  it('has nothing to do when the installed tree is the lock file, other systems’ optional packages aside', () => {
    assert.equal(sameTree(locked, installed), true);
  });

  it('installs when a version or a content differs', () => {
    assert.equal(sameTree(locked, { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }), false);
    assert.equal(sameTree(locked, { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }), false);
  });

  it('installs when a package is missing or one too many is there', () => {
    assert.equal(sameTree(locked, {}), false);
    assert.equal(sameTree(locked, { ...installed, 'node_modules/stray': { version: '1.0.0' } }), false);
  });

  it('finds this clone current, since set-up ran before this test', () => {
    assert.equal(npmIsCurrent(), true);
  });

  it('uses the npm that started it, else the one on the path', () => {
    assert.deepEqual(npm({ npm_execpath: '/usr/lib/npm/bin/npm-cli.js' }), [process.execPath, '/usr/lib/npm/bin/npm-cli.js']);
    assert.deepEqual(npm({ npm_execpath: '/usr/bin/yarn.js' }), ['npm']);
    assert.deepEqual(npm({}), ['npm']);
  });

  it('hides the outer npm run from the inner npm, but keeps the operator’s npm configuration', () => {
    const hidden = cleanNpmEnvironment({ npm_lifecycle_event: 'start', npm_package_name: 'lookout', npm_config_cache: '/c', HOME: '/h' });
    assert.deepEqual(Object.keys(hidden).sort(), ['npm_lifecycle_event', 'npm_package_name']);
  });
});
