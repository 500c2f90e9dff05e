import pc from 'picocolors';
import { takesColour, type CliContext } from '../cli-context.js';
import type { ErrorReport } from './error-report.js';

/** The one printer of errors: on stderr for people, as one JSON object on stdout for programs. Answers the exit code. */
export function printError(context: CliContext, report: ErrorReport, options: { json: boolean }): number {
  if (options.json) {
    context.out(`${JSON.stringify({ error: report })}\n`);
    return report.exitCode;
  }
  const colours = pc.createColors(takesColour(context, 'err'));
  const lines = [`${colours.red('error')} ${report.message} ${colours.dim(`[${report.code}]`)}`];
  for (const cause of report.causes) lines.push(`  because: ${cause}`);
  for (const finding of report.findings) {
    lines.push(`  ${finding.severity === 'blocker' ? colours.red('blocker') : colours.yellow('warning')} ${finding.id}: ${finding.text}`);
    lines.push(`    → ${finding.remedy}`);
  }
  lines.push(`→ ${report.remedy}`);
  context.err(`${lines.join('\n')}\n`);
  return report.exitCode;
}
