export { type Content, contentAt, exactValue, shownValue } from "./content.ts";
export { promptMessages } from "./model-step.ts";
export { allSteps, runTree } from "./run-tree.ts";
export { lengthOf } from "./totals.ts";
export type * from "./tree.ts";
export { toWire, type Wire } from "./wire.ts";
