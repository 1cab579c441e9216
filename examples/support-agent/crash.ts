/** For the crash test: the process kills itself, as hard as it can be killed, at the step that the test names. */
export function crashAt(step: string): void {
  if (process.env.DEMO_CRASH_AT === step) process.kill(process.pid, "SIGKILL");
}
