import { describe, expect, test } from 'vitest';
import { runFake } from '../../fake-cluster.js';

describe('kedge lab witness', () => {
  test.each([[['101', '--name', 'nowhere']], [['reset', '101', '--name', 'nowhere']], [['create', '101', '--name', 'nowhere', '--node', 'node1']]])(
    '%j asks the lab that is named',
    async (words) => {
      const { exitCode, err } = await runFake(['lab', 'witness', ...words]);
      expect(exitCode).not.toBe(0);
      expect(err).toContain('lab "nowhere"');
    },
  );
});
