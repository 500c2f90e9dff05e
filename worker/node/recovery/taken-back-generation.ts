import { laterGeneration, parseGeneration, type Generation } from '../../../src/domain/ids.js';
import { isSabotaged } from '../../../src/drivers/host/sabotage.js';

/** The generation under which the source has its guest back from a migration of `generation`: a new one, so that nothing late ever fits it. */
export function takenBackGeneration(generation: Generation): Generation {
  return isSabotaged('reuse-generation') ? parseGeneration(generation - 1) : laterGeneration(generation, 1);
}
