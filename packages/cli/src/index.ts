export { EXIT, type ExitCode } from "./exit.ts";
export { type Io, processIo } from "./io.ts";
export { runCommandLine } from "./program.ts";
