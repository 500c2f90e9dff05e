import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const bundles = new Map<string, Promise<WorkflowBundleWithSourceMap>>();

/** The workflows as the sources say now, bundled once a process: a test never runs yesterday's build. `path`: from this folder, for a test's own ones. */
export function bundleWorkflows(path = '../../workflows/index.ts'): Promise<WorkflowBundleWithSourceMap> {
  const known = bundles.get(path);
  if (known !== undefined) return known;
  const bundle = bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(path, import.meta.url)),
    // The sources import each other by the names that they have after the build.
    webpackConfigHook: (config) => ({ ...config, resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } } }),
    logger: { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: console.warn, error: console.error },
  });
  bundles.set(path, bundle);
  return bundle;
}

function ignore(): void {
  // Progress of the bundler is of no interest to a test.
}
