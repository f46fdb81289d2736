/** Representatives of the faults of outputs; all of them are in `test/long/outputs.test.ts`. */
import { outputFaults, outputFaultTests } from '../support/output-faults.ts';

const chosen = [['hls', 'freeze-host'], ['snapshot', 'kill-host'], ['hls', 'folder-removed']] as const;

outputFaultTests(outputFaults.filter(({ output, fault }) => chosen.some(([one, other]) => output === one && fault === other)));
