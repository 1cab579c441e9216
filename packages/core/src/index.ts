export * from "./answer/answered.ts";
export * from "./answer/approval-source.ts";
export { ASKER_GONE, askerOf, isAskerGone } from "./answer/asker.ts";
export * from "./answer/decide.ts";
export * from "./answer/edit-form.ts";
export { foreseenDenial } from "./answer/foresee.ts";
export { revokeGrant, type StandingGrant, standingGrants } from "./answer/grant.ts";
export {
  chosenGrant,
  GRANT_DEFAULT,
  GRANT_FIELDS,
  GRANT_WINDOW_TEXTS,
  GRANT_WINDOWS,
  type GrantChoice,
  type GrantField,
  type GrantMistake,
  givenGrant,
  grantMistakeText,
  grantText,
  offerText,
  parseGrantChoice,
  proposedGrant,
  readGrantChoice,
} from "./answer/grant-offer.ts";
export { liftDenial } from "./answer/sticky.ts";
export * from "./answer/suspend.ts";
export * from "./answer/typed-arguments.ts";
export * from "./approval/approval.ts";
export { editablePaths, editedValue, withEditedValue } from "./approval/edited-value.ts";
export {
  type Approver,
  DEFAULT_ROLES,
  type Edit,
  type GrantOffer,
  type GrantTerms,
  type Missing,
  missingOf,
  refusalOf,
  type Vote,
} from "./approval/quorum.ts";
export * from "./argument-units.ts";
export * from "./breaker/index.ts";
export { treeOf } from "./breaker/protect/rows.ts";
export * from "./budget.ts";
export * from "./call.ts";
export * from "./decision.ts";
export * from "./detectors.ts";
export { changedPaths, covers } from "./edit.ts";
export type { EditField } from "./edit-field.ts";
export * from "./errors.ts";
export { toldOf } from "./gate/judge.ts";
export * from "./gate/model.ts";
export { resultText } from "./gate/result-text.ts";
export * from "./gate/run.ts";
export { RunBook } from "./gate/run-book.ts";
export { readHistory } from "./gate/run-history.ts";
export { activation } from "./gate/run-writer.ts";
export { type OwnPlaces, protecting } from "./gate/self-protection.ts";
export { JUMP_MS } from "./gate/store-time.ts";
export * from "./gate.ts";
export { KEPT_WHOLE, type Keeping, RECORDS, type RecordMode, type Seal, type SealTie } from "./keeping.ts";
export * from "./lifecycle.ts";
export * from "./limits.ts";
export { agentId, isAgentId } from "./log/agent-id.ts";
export * from "./log/append.ts";
export {
  type ArchiveBase,
  type ArchivedSegment,
  archiveBase,
  archivedBy,
  BASE_ROW,
  baseIn,
  baseJson,
  type NotedRotation,
  parseBase,
} from "./log/archive-base.ts";
export * from "./log/bundle.ts";
export * from "./log/call-entry.ts";
export * from "./log/checkpoint.ts";
export { cosignedAt, formatWitnessKey, parseWitnessKey } from "./log/cosignature.ts";
export * from "./log/entry.ts";
export { ERASURE_PART, type ErasedParts, type ErasureNote, erasedBy, erasureNote } from "./log/erasure.ts";
export { checkExcerpt, type ExcerptCheck, type ExcerptOptions } from "./log/excerpt.ts";
export {
  type ExportedEntry,
  type ExportHead,
  type ExportLine,
  formatExportLine,
  parseExportLine,
  type SignedNote,
} from "./log/export.ts";
export { type ExportLines, exportSource, readExportHead } from "./log/export-source.ts";
export type { LogFault } from "./log/fault.ts";
export * from "./log/header.ts";
export * from "./log/part.ts";
export * from "./log/proof.ts";
export * from "./log/proof-file.ts";
export { type ArchivedEntries, leafSource, proveConsistency, proveInclusion } from "./log/proof-source.ts";
export { type ByteQuota, begins, bytesOf, type Counted, countBytes, type QuotaMark } from "./log/quota.ts";
export { parseRotation, ROTATION_PART, type Rotation, signRotation } from "./log/rotation.ts";
export * from "./log/segment.ts";
export { type CallRow, createLogStates, isSameRun, type LogStates } from "./log/states.ts";
export * from "./log/tree.ts";
export { createTreeNodes, type LeafSource, type TreeNodes } from "./log/tree-nodes.ts";
export * from "./log/verify.ts";
export { addCheckpoint, addCheckpointBody, type WitnessAnswer, type WitnessedLog } from "./log/witness.ts";
export * from "./outbox/outbox.ts";
export { type OutboxRows, outboxRows, toState } from "./outbox/outbox-rows.ts";
export { alarmLines, askedRows, createOutbox, followed, type Standing, standingOf } from "./outbox/outgoing.ts";
export { nextAttempt } from "./outbox/schedule.ts";
export * from "./past-calls.ts";
export { type AccessAnswer, accessOf, namedIn, type PolicyAccess, type ToolAccess } from "./policy/analyse/access.ts";
export { analyse } from "./policy/analyse/analyse.ts";
export { ANALYSIS_CODES, type AnalysisCode } from "./policy/analyse/codes.ts";
export { diffPolicies, gainOf, type PolicyDiff, type PolicyDifference } from "./policy/analyse/diff.ts";
export type { SettingDifference } from "./policy/analyse/diff-settings.ts";
export {
  type BinaryOperator as CelOperator,
  childrenOf as celChildren,
  type MacroName as CelMacro,
} from "./policy/cel/ast.ts";
export { Double as CelDouble, type Expr as CelExpr, parseCel, printCel } from "./policy/cel/index.ts";
export type { Zones } from "./policy/cel/types.ts";
export { type CheckOptions, type CheckResult, checkPolicies } from "./policy/check.ts";
export { compilePolicies } from "./policy/compile.ts";
export { type ConditionFunction, type ConditionWords, conditionWords } from "./policy/condition-words.ts";
export { renderConditions } from "./policy/conditions-reference.ts";
export { POLICY_FORMAT, type PolicyFile } from "./policy/format.ts";
export type { PolicyIssue } from "./policy/issue.ts";
export { JudgedCalls } from "./policy/judged-calls.ts";
export type { PolicyDocument, PolicyModel, RedactedKind } from "./policy/model.ts";
export { nearest } from "./policy/nearest.ts";
export type { OpaqueContext, OpaqueTest } from "./policy/opaque.ts";
export * from "./policy/policy-set.ts";
export { durationMs } from "./policy/read.ts";
export * from "./policy/reference.ts";
export * from "./policy/run-tests.ts";
export { runtimeTables } from "./policy/runtime-tables.ts";
export { isStandardSchema, type StandardSchema, standardValidator } from "./policy/schema/standard.ts";
export type { ArgumentIssue, ArgumentValidator, JsonSchema } from "./policy/schema/types.ts";
export { validating } from "./policy/schema/validating.ts";
export { type Field, PATTERNS, type Shape } from "./policy/shape.ts";
export { type ReadSchema, schemaProblems } from "./policy/tool-schemas.ts";
export * from "./policy/tree.ts";
export { WITHOUT_LIMITS } from "./policy/without-limits.ts";
export * from "./ports.ts";
export { keepContent } from "./redaction/keep.ts";
export { REDACTED_PART } from "./redaction/masked-paths.ts";
export { createRedactor, type PartRecorder, type Redactor, type RedactorOptions } from "./redaction/redactor.ts";
export { openedCallEntry, openedEntry, type Sealing, sealedIn, sealedPart, sealScope } from "./redaction/seal.ts";
export { unsealed, unsealedReads } from "./redaction/unsealed.ts";
export * from "./replay/index.ts";
export {
  CHANNEL_KINDS,
  type ChannelKind,
  type ParsedRouteTarget,
  parseRouteTarget,
  type RouteTarget,
  routeTargetText,
} from "./route-target.ts";
export * from "./search/index.ts";
export * from "./traits.ts";
export {
  type ArchivePlan,
  type ArchiveRequest,
  commitArchive,
  planArchive,
} from "./upkeep/archive.ts";
export { type Erased, type ErasureRequest, type ErasureTarget, erase } from "./upkeep/erase.ts";
export { eraseAgain, erasureKind, type KeptErasure } from "./upkeep/erase-again.ts";
export { bookLostModels } from "./upkeep/lost-models.ts";
export * from "./upkeep/operate.ts";
export { createProtectionStates, PROTECTION_KINDS, type ProtectionStates } from "./upkeep/protection-states.ts";
export * from "./upkeep/recover.ts";
export { type EndedByRestore, endAllOpen, recordRestore } from "./upkeep/restore.ts";
export { ageMs, type Retained, type RetentionRequest, retain } from "./upkeep/retain.ts";
export * from "./upkeep/sweep.ts";
export { tidyState } from "./upkeep/tidy.ts";
export * from "./upkeep/views.ts";
export * from "./value/bytes.ts";
export { formatDecimal, parseDecimal } from "./value/decimal.ts";
export * from "./value/json.ts";
export * from "./value/json-parse.ts";
export * from "./value/leaves.ts";
export * from "./value/money.ts";
export { printable, printableJson, short } from "./value/printable.ts";
export { spanText } from "./value/span.ts";
export * from "./value/stamp.ts";
export { amountOf, isKnownUnit, KNOWN_UNITS, scaleOf } from "./value/unit.ts";
