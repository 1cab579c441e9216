/** The public conformance tests of CEL, as `@bufbuild/cel-spec` carries them. */
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import type { TestValue } from "./test-value.ts";

export interface PublicTest {
  readonly file: string;
  readonly section: string;
  readonly original: {
    readonly name: string;
    readonly expr: string;
    /** Absent together with `evalError` and `typedResult`: the result is true. */
    readonly value?: TestValue;
    readonly evalError?: unknown;
    readonly typedResult?: { readonly result?: TestValue; readonly deducedType?: unknown };
    readonly bindings?: Readonly<Record<string, { readonly value: TestValue }>>;
    readonly typeEnv?: readonly {
      readonly name: string;
      readonly ident?: { readonly type: TestType };
      readonly function?: unknown;
    }[];
    readonly container?: string;
    readonly disableCheck?: boolean;
    readonly checkOnly?: boolean;
  };
}

export interface TestType {
  readonly primitive?: string;
  readonly listType?: { readonly elemType?: TestType };
  readonly mapType?: { readonly keyType?: TestType; readonly valueType?: TestType };
}

type Suite = typeof tests;

export const PUBLIC_TESTS: readonly PublicTest[] = (tests.suites ?? []).flatMap((file) =>
  testsOf(file, file.name, file.name),
);

function testsOf(suite: Suite, file: string, section: string): readonly PublicTest[] {
  const own = (suite.tests ?? []).map(({ original }) => ({
    file,
    section,
    original: original as PublicTest["original"],
  }));
  return [...own, ...(suite.suites ?? []).flatMap((inner) => testsOf(inner, file, inner.name))];
}
