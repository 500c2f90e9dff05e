/**
 * The in-doubt table as data: rows in order of precedence, the first that matches decides; a column that a row leaves out is "any".
 *
 * Rows that are DESIGN's carry its words as comment (source QEMU | source record | target record | target QEMU).
 * Rows marked "completes" carry a listed decision through its second step, since every step is followed by a new look.
 * The model is generated from this table (`model/generate.ts`), so what is checked there is what runs.
 */
import { IN_DOUBT_OWNED_ROWS } from './in-doubt-owned-rows.js';
import { IN_DOUBT_RELEASED_ROWS } from './in-doubt-released-rows.js';
import type { InDoubtRow } from './in-doubt-row.js';
import { IN_DOUBT_SOURCE_ROWS } from './in-doubt-source-rows.js';

export const IN_DOUBT_TABLE: readonly InDoubtRow[] = [...IN_DOUBT_OWNED_ROWS, ...IN_DOUBT_SOURCE_ROWS, ...IN_DOUBT_RELEASED_ROWS];
