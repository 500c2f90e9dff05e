import { expect, test } from 'vitest';
import { parseAgentFacts } from '../../../../src/drivers/fence/agent-facts.js';

/** As fence-agents 4.12.1 prints it. */
const METADATA = `<?xml version="1.0" ?>
<resource-agent name="fence_scsi" shortdesc="Fence agent for SCSI persistent reservation" >
<parameters>
	<parameter name="action" unique="0" required="1">
		<getopt mixed="-o, --action=[action]" />
	</parameter>
	<parameter name="debug_file" unique="0" required="0" obsoletes="debug">
	</parameter>
</parameters>
<actions>
	<action name="on" on_target="1" automatic="1"/>
	<action name="off" />
	<action name="status" />
</actions>
</resource-agent>
`;

test('the metadata of an agent names its parameters and actions, and whether it cuts power', () => {
  expect(parseAgentFacts(METADATA)).toEqual({
    parameters: new Set(['action', 'debug_file']),
    actions: new Set(['on', 'off', 'status']),
    isFabric: true,
  });
  expect(parseAgentFacts(METADATA.replace('automatic="1"', 'automatic="0"'))?.isFabric).toBe(false);
});

test('what is no metadata tells nothing', () => {
  expect(parseAgentFacts('usage: fence_ack_manual <nodename>')).toBeNull();
});
