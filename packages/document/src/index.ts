export * from "./format-issue.ts";
export * from "./json-schema.ts";
export * from "./load.ts";
export * from "./parse.ts";
export * from "./plain-yaml.ts";
export * from "./typescript/index.ts";
export { intlZones } from "./zones.ts";
