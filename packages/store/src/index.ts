export { createMemoryStore, type MemoryStoreOptions } from "./memory/memory-store.ts";
export { nodeClock, nodeHash, nodeRandom } from "./node/ports.ts";
