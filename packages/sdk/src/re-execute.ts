/**
 * An agent's own code once more, with its models and tools answered from the record. While it lasts, whatever is wrapped in
 * this process asks the record: no tool runs, no model is contacted, and no store on disk is opened. What the code does by
 * itself (its clock, its randomness, a network call of its own) is not in our hands.
 */
import {
  type Divergence,
  type Fork,
  type Recalled,
  RecordedAnswers,
  type RunTree,
  SafeRunError,
  type Store,
} from "@saferun/core";
import { createMemoryStore } from "@saferun/store";

export interface ReExecution {
  /** What the code did otherwise, first; null: it did as recorded. */
  readonly divergence: Divergence | null;
  /** Prompts that were others behind a fork. */
  readonly changes: readonly Divergence[];
  /** Questions to models and tools that the record has answered. */
  readonly answered: number;
  /** What the code itself has thrown at its end, where nothing differed before. */
  readonly error: string | null;
}

/** What is wrapped while it lasts belongs to it for good: code that goes on after its end is refused, and contacts nothing. */
export interface Session {
  readonly answers: RecordedAnswers;
  readonly store: Store;
  answered: number;
  divergence: Divergence | null;
  over: boolean;
}

/** On the global object: the agent's code may have brought a copy of this package of its own. */
const KEY = Symbol.for("@saferun/sdk re-execution v1");

/**
 * Runs `body` to its end and answers it from the record, up to its first divergence; after it everything is refused.
 *
 * @param tree `runTree` of the recorded run.
 * @param fork One recorded answer to replace; prompts behind it may be others.
 * @throws SafeRunError `call.conflict` where another re-execution is under way in this process.
 * @example
 * const report = await reExecute(tree, () => agent.generate({ prompt }));
 */
export async function reExecute(tree: RunTree, body: () => unknown, fork?: Fork): Promise<ReExecution> {
  if (session() !== undefined)
    throw new SafeRunError("call.conflict", "another run is being re-executed in this process");
  const answers = new RecordedAnswers(tree, fork);
  const under: Session = { answers, store: createMemoryStore(), answered: 0, divergence: null, over: false };
  Reflect.set(globalThis, KEY, under);
  let error: string | null = null;
  try {
    // To its end, also behind a divergence: code that goes on must not find its tools as they are.
    await body();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    under.over = true;
    Reflect.deleteProperty(globalThis, KEY);
  }
  const divergence = under.divergence ?? (error === null ? answers.rest() : null);
  const own = under.divergence === null ? error : null;
  return { divergence, changes: answers.changes(), answered: under.answered, error: own };
}

/** The re-execution that is under way; undefined: things are as they are. */
export function session(): Session | undefined {
  return Reflect.get(globalThis, KEY) as Session | undefined;
}

/** The recorded answer. @throws SafeRunError `replay.diverged`, to whatever the code does: after it nothing is answered. */
export function take<Answer>(under: Session, ask: (answers: RecordedAnswers) => Recalled<Answer>): Answer {
  if (under.divergence !== null) throw diverged(under.divergence);
  if (under.over)
    throw new SafeRunError("replay.diverged", "the re-execution is over, and nothing is answered any more");
  const found = ask(under.answers);
  if ("answer" in found) {
    under.answered += 1;
    return found.answer;
  }
  under.divergence = found.divergence;
  throw diverged(found.divergence);
}

function diverged({ kind, step, where }: Divergence): SafeRunError {
  const at = step === null ? "" : ` at step ${step}`;
  return new SafeRunError("replay.diverged", `the re-execution has stopped${at}: ${kind.replace("_", " ")}, ${where}`);
}

/** An error as the record has it. */
export function recordedError({ name, message }: { readonly name: string; readonly message: string }): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
