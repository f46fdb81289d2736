/** Each output under each fault: its host killed or frozen, its disk full, its folder removed, its source killed. */
import { outputFaults, outputFaultTests } from '../support/output-faults.ts';

outputFaultTests(outputFaults);
