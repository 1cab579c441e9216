/** What the format's JSON Schema says may stand at a place. */
import type { Json, JsonObject } from "@saferun/core";

export interface Offer {
  readonly word: string;
  readonly about: string;
}

/** Each way in which the value at `path` may be written. */
export function shapesAt(schema: Json, path: readonly (string | number)[]): readonly JsonObject[] {
  let shapes = alternatives(schema);
  for (const step of path) {
    shapes = shapes.flatMap((shape) => alternatives(typeof step === "number" ? shape.items : memberOf(shape, step)));
  }
  return shapes;
}

export function keysOf(shapes: readonly JsonObject[]): readonly Offer[] {
  const offers = shapes.flatMap(({ properties }) =>
    isMap(properties)
      ? Object.entries(properties).flatMap(([word, about]) =>
          isMap(about) && about.deprecated === true ? [] : [{ word, about: aboutOf(about) }],
        )
      : [],
  );
  return unique(offers);
}

export function wordsOf(shapes: readonly JsonObject[]): readonly Offer[] {
  const offers = shapes.flatMap((shape) => {
    if (Array.isArray(shape.enum)) return shape.enum.map((word) => ({ word: String(word), about: "" }));
    return shape.type === "boolean" ? ["true", "false"].map((word) => ({ word, about: "" })) : [];
  });
  return unique(offers);
}

/** Of one or of a list: `tool: a` and `tool: [a, b]` take the same words. */
export function withItems(shapes: readonly JsonObject[]): readonly JsonObject[] {
  return shapes.flatMap((shape) => [shape, ...alternatives(shape.items)]);
}

function memberOf({ properties, additionalProperties }: JsonObject, name: string): Json | undefined {
  return isMap(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}

function alternatives(shape: Json | undefined): readonly JsonObject[] {
  if (!isMap(shape)) return [];
  const one = shape.oneOf ?? shape.anyOf;
  return Array.isArray(one) ? one.flatMap(alternatives) : [shape];
}

function aboutOf(shape: Json | undefined): string {
  return isMap(shape) && typeof shape.description === "string" ? shape.description : "";
}

function isMap(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unique(offers: readonly Offer[]): readonly Offer[] {
  return [...new Map(offers.map((offer) => [offer.word, offer])).values()];
}
