/** Writes `model/decide.pml` beside this file's source: `npm run build && node dist/model/generate.js`. */
import { writeFileSync } from 'node:fs';
import { promelaTable } from './promela-table.js';

writeFileSync('model/decide.pml', promelaTable());
