/** What a command's exit code says, and how a command says that it could not do its work. */
export const EXIT = {
  fine: 0,
  /** It ran and found what a script must know of: errors in policies, a fault in the log, a decision that did not apply. */
  found: 1,
  usage: 2,
  /** It could not run. */
  failed: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command. The message is one line, lower case, and says what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exit: ExitCode;
  /** A closed word for programs. */
  readonly code: string;
  constructor(exit: ExitCode, code: string, message: string) {
    super(message);
    this.exit = exit;
    this.code = code;
  }
}

export function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, "usage", message);
}

export function failed(code: string, message: string): CommandError {
  return new CommandError(EXIT.failed, code, message);
}
