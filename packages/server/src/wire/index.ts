/** Rows of the store as JSON for programs, without the server: the commands print the same. */
export { approvalJson, parsed, summaryJson } from "./approval.ts";
export { partJson, unwrappedJson } from "./entry.ts";
export { iso } from "./moment.ts";
export { breakerJson, potJson, stopJson } from "./protections.ts";
