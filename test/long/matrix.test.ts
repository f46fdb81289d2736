/** The whole fault matrix: every fault on every one of eight cameras (LOOKOUT_POSITIONS for fewer). LOOKOUT_WRITE_DOCS=1 writes its table. */
import { matrixTests } from '../support/fault-matrix.ts';
import { writeFaultTable } from '../support/fault-document.ts';
import { allFaults } from '../support/fault-table.ts';

matrixTests({
  rows: allFaults,
  positions: Number(process.env['LOOKOUT_POSITIONS'] ?? 8),
  done: (outcomes) => {
    if (process.env['LOOKOUT_WRITE_DOCS'] === '1' && process.env['LOOKOUT_FAULT'] === undefined) writeFaultTable(allFaults, outcomes);
  },
});
