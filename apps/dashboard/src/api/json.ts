/** Reading JSON whose shape the API leaves open: what is not there is empty. */
import type { Json, JsonObject } from "@saferun/core";

export function isMap(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function mapOf(value: unknown): JsonObject {
  return isMap(value) ? value : {};
}

export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one): one is string => typeof one === "string");
}

export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
