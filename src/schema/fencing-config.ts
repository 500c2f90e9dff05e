import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isNodeName } from './cluster-config.js';

const oneLine = /^[^\n\r\0]*$/;
const parameterName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must be a name of the agent's parameters, like ip or username");
const parameterValue = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .refine((value) => oneLine.test(value), 'must be one line: the agent reads a parameter a line');

const device = z.strictObject({
  /** A program of the fence-agents convention: parameters on its standard input, exit code 0 for done. */
  agent: z.string().refine((path) => isAbsolute(path) && oneLine.test(path), 'must be the absolute path of a fence agent, like /usr/sbin/fence_ipmilan'),
  /** How long one call of the agent may take. */
  timeoutSeconds: z.int().min(1).max(600).default(60),
  /** Given to the agent as they are; `action` is Kedge's to say. */
  parameters: z.record(parameterName, parameterValue).refine((all) => !('action' in all), 'must not have "action": Kedge says what is to be done'),
});

/** fencing.yaml: which device cuts the power of which node. It holds passwords, so root alone may read it. */
export const fencingConfigSchema = z.strictObject({
  nodes: z.record(z.string().refine(isNodeName, 'must be a node name: letters, digits and inner hyphens'), device),
});
export type FencingConfig = Readonly<z.output<typeof fencingConfigSchema>>;
/** The device of one node. */
export type FenceDevice = Readonly<z.output<typeof device>>;
