export { type AmountsIn, recordedAmounts, stepAmounts, stepUnits } from "./amounts.ts";
export {
  type Divergence,
  type Fork,
  type ModelAnswer,
  type Recalled,
  RecordedAnswers,
  type ToolAnswer,
  type ToolNote,
} from "./answers.ts";
export { BESIDE_RULES, type Said, standing } from "./beside.ts";
export {
  type AlignedStep,
  alignRuns,
  compareRuns,
  type RunDifference,
  type StepDifference,
  type StepPair,
} from "./compare.ts";
export { type Content, contentAt, contentGone, exactValue, shownValue } from "./content.ts";
export { promptMessages } from "./model-step.ts";
export { allSteps, runTree } from "./run-tree.ts";
export { roleOf, type Spoken, spokenIn } from "./spoken.ts";
export { lengthOf } from "./totals.ts";
export type * from "./tree.ts";
export {
  isChanged,
  NOT_REPRODUCIBLE,
  type NotReproducible,
  RecordedClock,
  type WhatIf,
  type WhatIfAnswer,
  type WhatIfCall,
  type WhatIfPorts,
  whatIf,
} from "./what-if.ts";
export { toWire, type Wire } from "./wire.ts";
