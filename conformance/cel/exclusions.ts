/** What of the public suite does not apply here, and what we answer otherwise on purpose. Everything else counts, and passes. */
import type { PublicTest } from "./public-tests.ts";

/** Files that test the language itself; the others test extensions. */
const CORE_FILES: ReadonlySet<string> = new Set(
  "basic comparisons conversions dynamic enums fields fp_math integer_math lists logic macros namespace parse plumbing proto2 proto3 string timestamps type_deductions unknowns wrappers".split(
    " ",
  ),
);
/** Extensions that conditions have, wholly or in part. */
const EXTENSION_FILES: ReadonlySet<string> = new Set(["optionals", "string_ext"]);

export type Section = "core" | "extensions" | "absent";

export function sectionOf({ file }: PublicTest): Section {
  if (CORE_FILES.has(file)) return "core";
  return EXTENSION_FILES.has(file) ? "extensions" : "absent";
}

interface Rule {
  readonly reason: string;
  applies(test: PublicTest): boolean;
}

const MESSAGE =
  /\b(Test(?:AllTypes|AllRequired|Required)|Nested(?:TestAllTypes|Message|Enum)|GlobalEnum|NullValue|cel\.expr\.conformance|google\.protobuf\.(?!Timestamp\b|Duration\b)\w+)|\b(Timestamp|Duration|\w*Value|Any|Struct|Empty|FieldMask)\s*\{/;
const MESSAGE_VALUE = /"(objectValue|enumValue|messageType)"|"wellKnown":"ANY"|"wrapper"/;
/** Times are values of conditions too. */
const TIME_VALUE =
  /\{"objectValue":\{"@type":"type\.googleapis\.com\/google\.protobuf\.(Timestamp|Duration)"|"messageType":"google\.protobuf\.(Timestamp|Duration)"/g;

function buildsMessages({ original }: PublicTest): boolean {
  const { expr, value, bindings, typeEnv, typedResult } = original;
  const data = JSON.stringify([value, bindings, typeEnv, typedResult]).replace(TIME_VALUE, "");
  return MESSAGE.test(expr) || MESSAGE_VALUE.test(data);
}

/** `file/section/test`. */
export function nameOf({ file, section, original }: PublicTest): string {
  return `${file}/${section}/${original.name}`;
}

/** Not counted at all. */
const EXCLUSIONS: readonly Rule[] = [
  { reason: "protocol buffer messages and enums: arguments of tools are JSON", applies: buildsMessages },
  {
    reason: "a static type alone: the check at load is light and says `dyn` where it does not know",
    applies: ({ original }) => original.checkOnly === true,
  },
  {
    reason: "names with dots and containers: a policy's names are single words",
    applies: ({ original }) =>
      (original.typeEnv ?? []).some(({ name, ident }) => ident !== undefined && name.includes(".")) ||
      Object.keys(original.bindings ?? {}).some((name) => name.includes(".")),
  },
  {
    reason: "`format`, `strings.quote`, `lastIndexOf` and `reverse` of the string extension: not in conditions",
    applies: ({ file, section, original }) =>
      file === "string_ext" &&
      (/^(?:format|format_errors|quote|last_index_of)$/.test(section) ||
        /\.(?:format|lastIndexOf|reverse)\(|strings\.quote/.test(original.expr)),
  },
];

/** Counted as failed, on purpose. */
const DEVIATIONS: readonly Rule[] = [
  {
    reason: "an int beside a double is compared exactly; the suite rounds the int to a double first",
    applies: (test) =>
      [
        "comparisons/lt_literal/not_lt_dyn_int_big_lossy_double",
        "comparisons/gt_literal/not_gt_dyn_big_double_int",
        "comparisons/lte_literal/lte_dyn_big_double_int",
        "comparisons/gte_literal/gte_dyn_int_big_lossy_double",
      ].includes(nameOf(test)),
  },
];

export function exclusionOf(test: PublicTest): string | undefined {
  return EXCLUSIONS.find((rule) => rule.applies(test))?.reason;
}

export function deviationOf(test: PublicTest): string | undefined {
  return DEVIATIONS.find((rule) => rule.applies(test))?.reason;
}
