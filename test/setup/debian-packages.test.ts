/** Set-up's decisions about Debian packages, and what it says where it may not install. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RUNTIME, TESTS, WORKER, installer, manualInstructions, missingPackages } from '../../scripts/setup/debian-packages.mjs';

const machine = { isDebian: true, isRoot: false, hasSudo: false, canPrompt: false };

describe('the Debian packages step', () => {
  it('installs directly as root', () => {
    assert.deepEqual(installer({ ...machine, isRoot: true }), { prefix: ['env'] });
  });

  it('uses sudo without a password prompt where no terminal could answer it', () => {
    assert.deepEqual(installer({ ...machine, hasSudo: true }), { prefix: ['sudo', '-n', 'env'] });
  });

  it('lets sudo ask for the password on a terminal', () => {
    assert.deepEqual(installer({ ...machine, hasSudo: true, canPrompt: true }), { prefix: ['sudo', 'env'] });
  });

  it('refuses without root and sudo, and on a system that is not Debian even as root', () => {
    assert.deepEqual(installer(machine), { problem: 'not-allowed' });
    assert.deepEqual(installer({ ...machine, isDebian: false, isRoot: true }), { problem: 'not-debian' });
  });

  it('prints the one command that installs exactly what is missing when it may not install', () => {
    const text = manualInstructions('not-allowed', ['cmake', 'g++']);
    assert.match(text, /^ {2}apt-get update && apt-get install -y --no-install-recommends cmake g\+\+$/m);
  });

  it('names what is missing on another system without pretending that apt-get is there', () => {
    const text = manualInstructions('not-debian', ['cmake', 'g++']);
    assert.match(text, /cmake g\+\+/);
    assert.match(text, /not Debian/);
    assert.doesNotMatch(text, /apt-get install/);
  });

  it('asks dpkg, and finds a package missing that is not installed', async () => {
    assert.deepEqual(await missingPackages(['dpkg', 'lookout-no-such-package']), ['lookout-no-such-package']);
  });

  it('finds nothing missing on the machine that runs this test, since set-up ran before it', async () => {
    assert.deepEqual(await missingPackages([...RUNTIME, ...TESTS]), []);
  });

  it('keeps what only the tests need out of what npm start installs', () => {
    assert.deepEqual(TESTS.filter((name) => RUNTIME.includes(name) || WORKER.includes(name)), []);
  });
});
