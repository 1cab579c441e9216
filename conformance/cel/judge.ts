/** One public test against the engine. */
import { type CelEnv, checkCel, compileCel, parseCel } from "../../packages/core/src/policy/cel/index.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DYN, INT, STRING, UINT } from "../../packages/core/src/policy/cel/types.ts";
import { intlZones } from "../../packages/document/src/zones.ts";
import type { PublicTest, TestType } from "./public-tests.ts";
import { canonical, fromTest } from "./test-value.ts";

export interface Judgement {
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
}

const ERROR = "error";

export function judge({ original }: PublicTest): Judgement {
  const expected = expectedOf(original);
  const actual = answerOf(original);
  const passed = expected === ERROR ? actual.startsWith(ERROR) : actual === expected;
  return { passed, expected, actual };
}

function expectedOf({ value, evalError, typedResult }: PublicTest["original"]): string {
  if (evalError !== undefined) return ERROR;
  const wanted = fromTest(value ?? typedResult?.result ?? { boolValue: true });
  return wanted === undefined ? "a value that conditions do not have" : canonical(wanted);
}

/** The value, or `error: …`: what is refused at load never runs, and is an error too. */
function answerOf({ expr, bindings = {}, typeEnv = [], disableCheck }: PublicTest["original"]): string {
  const parsed = parseCel(expr);
  if (!parsed.ok) return `${ERROR}: ${parsed.issues[0]?.message}`;
  const env: CelEnv = {
    zones: intlZones,
    variables: Object.fromEntries(
      typeEnv.flatMap(({ name, ident }) => (ident === undefined ? [] : [[name, typeOf(ident.type)]])),
    ),
  };
  const [issue] = disableCheck === true ? [] : checkCel(parsed.expr, env).issues;
  if (issue !== undefined) return `${ERROR}: ${issue.message}`;
  const variables = Object.fromEntries(Object.entries(bindings).map(([name, { value }]) => [name, fromTest(value)]));
  try {
    return canonical(compileCel(parsed.expr, env).evaluate(variables));
  } catch (error) {
    return `${ERROR}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL,
  INT64: INT,
  UINT64: UINT,
  DOUBLE,
  STRING,
  BYTES,
};

function typeOf(type: TestType): CelType {
  if (type.primitive !== undefined) return PRIMITIVES[type.primitive] ?? DYN;
  if (type.listType !== undefined) return { kind: "list", item: typeOf(type.listType.elemType ?? {}) };
  if (type.mapType?.keyType?.primitive === "STRING")
    return { kind: "map", value: typeOf(type.mapType.valueType ?? {}) };
  return DYN;
}
