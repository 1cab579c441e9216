/** The policy format as one writes it in TypeScript: derived from the definition that also checks it. */
import type { POLICY_FORMAT } from "@saferun/core";
import type { AnyExpr, AnyExpression, ConditionContext } from "./expressions.ts";

/** CEL as a text, or built by a callback. */
export type WrittenExpression = string | AnyExpr | ((c: ConditionContext) => AnyExpression);

/** Plain data. */
type WrittenJson = null | boolean | number | string | readonly WrittenJson[] | { readonly [key: string]: WrittenJson };

export type Written<S> = S extends { type: "text" | "name" | "time" | "duration" }
  ? string
  : S extends { type: "expression" }
    ? WrittenExpression
    : S extends { type: "words"; words: readonly (infer Word)[] }
      ? Word
      : S extends { type: "integer" | "number" }
        ? number
        : S extends { type: "amount" }
          ? number | string
          : S extends { type: "flag" }
            ? boolean
            : S extends { type: "json" }
              ? WrittenJson
              : S extends { type: "list"; item: infer Item }
                ? readonly Written<Item>[]
                : S extends { type: "some"; item: infer Item }
                  ? Written<Item> | readonly Written<Item>[]
                  : S extends { type: "map"; value: infer Value }
                    ? Readonly<Record<string, Written<Value>>>
                    : S extends { type: "object"; fields: infer Fields }
                      ? WrittenFields<Fields>
                      : S extends { type: "either"; scalar: infer A; other: infer B }
                        ? Written<A> | Written<B>
                        : never;

type KeysWith<Fields, Use> = { [Key in keyof Fields]: Fields[Key] extends { use: Use } ? Key : never }[keyof Fields];
type ShapeOf<F> = F extends { shape: infer S } ? S : never;
type WrittenFields<Fields> = {
  readonly [Key in KeysWith<Fields, "required">]: Written<ShapeOf<Fields[Key]>>;
} & {
  readonly [Key in KeysWith<Fields, "optional">]?: Written<ShapeOf<Fields[Key]>>;
};

type FileFields = (typeof POLICY_FORMAT)["fields"];

export type WrittenFile = Written<typeof POLICY_FORMAT>;
export type WrittenRule = Written<FileFields["rules"]["shape"]["item"]>;
export type WrittenTool = Written<FileFields["tools"]["shape"]["value"]>;
export type WrittenBudget = Written<FileFields["budgets"]["shape"]["item"]>;
