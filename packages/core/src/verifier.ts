/**
 * The verifier alone: `@saferun/core/verifier`. For pages and tools that check a log, an export or a proof and run no
 * gate: it brings the log's mathematics and nothing of policies, approvals or calls, and runs wherever JavaScript does.
 */
export { NO_BASE } from "./log/archive-base.ts";
export * from "./log/bundle.ts";
export * from "./log/checkpoint.ts";
export type { StoredEntry, StoredPart } from "./log/entry.ts";
export { checkExcerpt, type ExcerptCheck, type ExcerptOptions } from "./log/excerpt.ts";
export { type ExportHead, type ExportLine, parseExportLine } from "./log/export.ts";
export type { ExportLines } from "./log/export-source.ts";
export type { LogFault } from "./log/fault.ts";
export { type EntryHeader, parseHeader } from "./log/header.ts";
export { partCommitment } from "./log/part.ts";
export * from "./log/proof.ts";
export * from "./log/proof-file.ts";
export { leafHash } from "./log/tree.ts";
export { type Verification, type VerifyOptions, type VerifySource, verifyLog } from "./log/verify.ts";
export type { Hash, TreeHead, Verifier } from "./ports.ts";
