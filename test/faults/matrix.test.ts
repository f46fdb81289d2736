/** The fault matrix, one fault of every kind: after each the class, the recovery, the neighbours and what is held. The whole of it: test/long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentedFaults, expectedFaults } from '../support/fault-document.ts';
import { matrixTests } from '../support/fault-matrix.ts';
import { allFaults } from '../support/fault-table.ts';

matrixTests({ rows: allFaults.filter(({ representative }) => representative), positions: 1 });

test('docs/failures.md has the matrix: every fault with its class, and no other', () => {
  assert.deepEqual(documentedFaults(), expectedFaults(allFaults), 'run test/long/matrix.test.ts with LOOKOUT_WRITE_DOCS=1');
});
