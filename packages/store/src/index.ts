export { type CheckpointedStore, type CheckpointerOptions, createCheckpointer } from "./checkpointer.ts";
export { createMemoryStore, type MemoryStoreOptions } from "./memory/memory-store.ts";
export { createFileSigner, type FileSigner, nodeVerifier, signingKeyPath } from "./node/file-signer.ts";
export { type Installation, type InstallationOptions, installation } from "./node/installation.ts";
export { nodeClock, nodeHash, nodeRandom } from "./node/ports.ts";
export { openReadOnlySqliteStore, type ReadOnlyStoreOptions } from "./sqlite/read-only-store.ts";
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
export { type VerifyStoreOptions, verifyStore } from "./verify-store.ts";
