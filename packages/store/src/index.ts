export { createMemoryStore, type MemoryStoreOptions } from "./memory/memory-store.ts";
export { type Installation, type InstallationOptions, installation } from "./node/installation.ts";
export { nodeClock, nodeHash, nodeRandom } from "./node/ports.ts";
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
