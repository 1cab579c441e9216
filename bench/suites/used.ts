/** What a process of its own has used of the machine, said by itself at its end. */

export interface Used {
  /** Of the processor: what else the machine does adds nothing to it. */
  readonly cpuSeconds: number;
  /** Peak of what lay in memory, 10^6 bytes. */
  readonly megabytes: number;
}

/**
 * To be given to the process as `--import`. The peak comes from the kernel's count of the process's own memory where there is
 * one: `maxRSS` on Linux begins with that of the process which started this one.
 */
export const REPORTING =
  "data:text/javascript,process.on('exit',()=>{let used=process.resourceUsage();" +
  "try{used.maxRSS=Number(/VmHWM:\\s*(\\d%2B)/.exec(process.getBuiltinModule('node:fs').readFileSync('/proc/self/status','utf8'))[1])}" +
  "catch{};process.stderr.write(JSON.stringify(used))})";

/** From what it wrote to standard error. */
export function usedIn(stderr: string): Used {
  const {
    userCPUTime = 0,
    systemCPUTime = 0,
    maxRSS = 0,
  } = JSON.parse(stderr.slice(stderr.lastIndexOf("{"))) as Record<string, number>;
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: (maxRSS * 1_024) / 1e6 };
}
