/** Which commands a command line runs. What is not fully understood is an error, never an empty list. */
import { Fault } from "../issues.ts";
import type { Outcome } from "../values.ts";
import { hasInvisible } from "./hidden.ts";
import { type ShellToken, shellTokens } from "./shell-words.ts";

const LONGEST = 16_384;
const MOST_COMMANDS = 200;

/** Words that make a sentence of the shell's own, where a command's name would stand. */
const SYNTAX =
  "if then else elif fi for while until do done case esac in select function time coproc repeat foreach end";
/** Commands that run others, or change what a name means. */
const RUNNERS =
  "eval exec source command builtin env xargs parallel sudo doas su nohup nice ionice timeout gtimeout stdbuf setsid chroot unshare nsenter watch script strace ltrace busybox toybox sh bash zsh dash ksh ash fish csh tcsh pwsh alias unalias trap set unset export declare typeset local readonly shopt setopt enable hash bind fc history noglob nocorrect caffeinate";
const REFUSED: ReadonlySet<string> = new Set([
  ...SYNTAX.split(" "),
  ...RUNNERS.split(" "),
  ".",
  ":",
  "[",
  "[[",
  "{",
  "!",
]);

/** `[{name, args, writes}]`; `writes` are the files that redirections write to. */
export function shell(line: string, offset: number): Outcome {
  const tokens = line.length > LONGEST || hasInvisible(line) || line.includes("\r") ? null : shellTokens(line);
  const commands = tokens === null ? null : commandsOf(tokens);
  return (
    commands ??
    new Fault(
      "`shell` of a line that is not only plain commands: no expansion, substitution, wildcard, comment or wrapper",
      offset,
    )
  );
}

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly writes: readonly string[];
}

function commandsOf(tokens: readonly ShellToken[]): Command[] | null {
  const commands: Command[] = [];
  let from = 0;
  for (let index = 0; index <= tokens.length; index++) {
    const token = tokens[index];
    if (token !== undefined && token.kind !== "operator") continue;
    const part = tokens.slice(from, index);
    from = index + 1;
    // Nothing may stand before a line end, or behind the last `;` or `&`; everywhere else it is a mistake.
    const before = tokens[index - part.length - 1]?.text ?? "\n";
    if (part.length === 0 && mayBeEmpty(before, token?.text)) continue;
    const command = commandOf(part);
    if (command === null || commands.length >= MOST_COMMANDS) return null;
    commands.push(command);
  }
  return commands.length === 0 ? null : commands;
}

function mayBeEmpty(before: string, after: string | undefined): boolean {
  return (after === undefined || after === "\n") && /^[;&\n]$/.test(before);
}

function commandOf(tokens: readonly ShellToken[]): Command | null {
  const words: string[] = [];
  const writes: string[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind === "word") {
      if (words.length === 0 && !isName(token)) return null;
      words.push(token.text);
      continue;
    }
    const target = tokens[++index];
    if (token === undefined || target?.kind !== "word" || target.text === "") return null;
    const copies = /[<>]&$/.test(token.text);
    if (copies ? !/^(?:\d{1,3}|-)$/.test(target.text) : /[>]/.test(token.text)) {
      // `>&file` writes in some shells and is refused in others.
      if (copies) return null;
      writes.push(target.text);
    }
  }
  const [name, ...args] = words;
  return name === undefined ? null : { name, args, writes };
}

/** A plain name of a program. A path or another letter case may name the same program; `A=b` sets a variable. */
function isName({ text }: { readonly text: string }): boolean {
  return /^[a-z0-9_][a-z0-9_.+-]*$/.test(text) && !REFUSED.has(text);
}
