/**
 * A warning of Node.js in a test (a leaked listener, an unclosed handle, a rejected promise nobody waits for) fails its file:
 * here it is noticed, in a node worker that runs for months it would not be.
 */
function failOnWarning(warning: Error): void {
  // Said by Node.js about its own interfaces, not about what the code did with them.
  if (warning.name === 'ExperimentalWarning' || warning.name === 'DeprecationWarning') return;
  throw warning;
}

// Unit tests share their process, and each file comes by here.
if (!process.listeners('warning').some(({ name }) => name === failOnWarning.name)) process.on('warning', failOnWarning);
