import { z } from 'zod';
import { type Generation, type MigrationId, type NodeName, type Vmid, parseGeneration, parseMigrationId, parseNodeName, parseVmid } from '../domain/ids.js';

/** Zod faces of the branded ids: input is plain JSON, output is the brand of src/domain/ids.ts. */
export const vmidSchema = z.number().transform(brand<number, Vmid>(parseVmid));
export const generationSchema = z.number().transform(brand<number, Generation>(parseGeneration));
export const nodeNameSchema = z.string().transform(brand<string, NodeName>(parseNodeName));
export const migrationIdSchema = z.string().transform(brand<string, MigrationId>((value) => parseMigrationId(value).id));

/** Turns a throwing parser of the domain into a zod transform that reports an issue. */
function brand<Input, Output>(parse: (value: Input) => Output) {
  return (value: Input, context: z.RefinementCtx): Output => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  };
}
