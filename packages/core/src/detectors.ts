/** What each detector looks for and what it does then. The defaults of all of them stand in one table, here. */

/** `observe`: found and recorded, without stopping anything. */
export type DetectorMode = "observe" | "enforce";

/** From mild to severe: tell the agent, ask a person, refuse the call, stop the run, stop the agent. */
export type Reaction = "annotate" | "pause" | "deny" | "trip_run" | "trip_agent";

export const REACTIONS: readonly Reaction[] = ["annotate", "pause", "deny", "trip_run", "trip_agent"];

interface Detector {
  readonly mode: DetectorMode;
  readonly over: Reaction;
}

export interface LoopSettings {
  /** The same call with the same result, `same` times (writes: `writes` times) in the last `last` calls. */
  readonly repeat: Detector & { readonly same: number; readonly writes: number; readonly last: number };
  /** A round of 2 to `longest` calls with their results, `rounds` times. */
  readonly cycle: Detector & { readonly longest: number; readonly rounds: number };
  /** The same call in a row: `alike` times with `slots` of 16 equal from one result to the next, or `progress` times without progress. */
  readonly similar: Detector & { readonly alike: number; readonly slots: number; readonly progress: number };
  /** Failures of one tool with one class since its last success: `streak` react, `trip` stop the run. */
  readonly errors: Detector & { readonly streak: number; readonly trip: number };
  /** The same answer of a reading tool to `questions` different calls in the last `last`. */
  readonly varied: Detector & { readonly questions: number; readonly last: number };
  /** The same call so often in one run, whatever came back. */
  readonly raw: Detector & { readonly calls: number };
  /** Denials within `withinMs`, or by one rule since a person last spoke. */
  readonly denials: Detector & { readonly most: number; readonly withinMs: number; readonly sameRule: number };
  /** Calls of one agent to one tool, and effectful ones to one recipient, within `withinMs`. */
  readonly rate: Detector & { readonly calls: number; readonly recipient: number; readonly withinMs: number };
  /** Recipients that the agent never had before, within `withinMs`. */
  readonly novelty: Detector & { readonly recipients: number; readonly withinMs: number };
  /** The same business act twice. */
  readonly duplicate: Detector;
  /** One run, its sub-agents included. Asks at 80 %, trips at 100 %; a null is no cap. */
  readonly caps: Detector & {
    readonly calls: number | null;
    readonly minutes: number | null;
    /** Millionths of a dollar, for models. */
    readonly usdMicros: bigint | null;
    /**
     * True where a file names `usd`: calls of models are held against it before they are made, and one without a price or
     * a bound is refused. False: the cap of the default, which stops a run that has spent it.
     */
    readonly usdHeld: boolean;
    /** How deep sub-agents may start sub-agents. */
    readonly depth: number | null;
  };
  /** Runs or principals tripped within `withinMs` that stop the whole agent. */
  readonly trips: Detector & { readonly most: number; readonly withinMs: number };
}

export type DetectorName = keyof LoopSettings;

const MINUTE = 60_000;

export const LOOP_DEFAULTS: LoopSettings = Object.freeze<LoopSettings>({
  repeat: { mode: "enforce", over: "deny", same: 3, writes: 2, last: 12 },
  cycle: { mode: "enforce", over: "deny", longest: 6, rounds: 3 },
  similar: { mode: "enforce", over: "pause", alike: 4, slots: 8, progress: 3 },
  errors: { mode: "enforce", over: "pause", streak: 5, trip: 8 },
  varied: { mode: "enforce", over: "pause", questions: 5, last: 20 },
  raw: { mode: "enforce", over: "pause", calls: 25 },
  denials: { mode: "enforce", over: "trip_run", most: 5, withinMs: MINUTE, sameRule: 3 },
  rate: { mode: "enforce", over: "pause", calls: 1_000, recipient: 5, withinMs: MINUTE },
  novelty: { mode: "enforce", over: "pause", recipients: 20, withinMs: 60 * MINUTE },
  duplicate: { mode: "enforce", over: "pause" },
  caps: { mode: "enforce", over: "pause", calls: 200, minutes: 60, usdMicros: 5_000_000n, usdHeld: false, depth: 5 },
  trips: { mode: "enforce", over: "trip_agent", most: 3, withinMs: 10 * MINUTE },
});

export const DETECTOR_NAMES = Object.freeze(Object.keys(LOOP_DEFAULTS)) as readonly DetectorName[];
