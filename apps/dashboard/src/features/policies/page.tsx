/** The policies: written with the compiler's own words beside, tried out, put in force, taken back. */
import type { ConditionWords, Json } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { Button } from "../../ui/button.tsx";
import { PageHead } from "../../ui/card.tsx";
import { Empty, Failure, Skeleton } from "../../ui/states.tsx";
import { useDrafts } from "./drafts.ts";
import type { Known } from "./editor/completion.ts";
import { FIRST_TEXT } from "./new-file.tsx";
import { type Policies, readPolicies, readSchema, readWords } from "./read.ts";
import { StateBanner } from "./state-banner.tsx";
import { Workbench } from "./workbench.tsx";

export function PoliciesPage() {
  const health = useQuery({ queryKey: ["health"], queryFn: () => ask(api.health.$get()) });
  const policies = useQuery({ queryKey: ["policies"], queryFn: readPolicies });
  const { known, schema } = useKnown();
  const error = policies.error ?? health.error ?? schema.error;
  const retry = () => {
    for (const one of [policies, health, schema]) if (one.isError) void one.refetch();
  };
  return (
    <>
      <PageHead title="Policies" about="What agents may do. A draft decides nothing until you put it in force." />
      {error === null ? null : <Failure error={error} retry={retry} />}
      {policies.data === undefined || health.data === undefined || known === undefined ? (
        error === null ? (
          <Skeleton lines={6} />
        ) : null
      ) : (
        <Loaded log={health.data.log} policies={policies.data} known={known} />
      )}
    </>
  );
}

function Loaded({
  log,
  policies,
  known,
}: {
  readonly log: string;
  readonly policies: Policies;
  readonly known: Known;
}) {
  const drafts = useDrafts(log, policies);
  if (drafts.texts.length === 0) {
    return (
      <Empty title="No policy file is here yet">
        <p>
          Without one every call is judged by the strictest default. Begin one here, or let SafeRun look at your tools:
        </p>
        <p className="mt-2 font-mono text-ink">npx saferun init</p>
        <Button className="mt-4" tone="primary" onClick={() => drafts.edit("policies.yaml", FIRST_TEXT)}>
          Begin policies.yaml
        </Button>
      </Empty>
    );
  }
  return (
    <>
      <StateBanner policies={policies} />
      <Workbench policies={policies} drafts={drafts} known={known} />
    </>
  );
}

/** Names for completion: what the policies declare, and what agents have called and been. */
function useKnown() {
  const schema = useQuery({ queryKey: ["policy-schema"], queryFn: readSchema, staleTime: Number.POSITIVE_INFINITY });
  // With the files: what they declare is offered in their conditions.
  const words = useQuery({ queryKey: ["policies", "words"], queryFn: readWords });
  const agents = useQuery({ queryKey: ["agents"], queryFn: () => ask(api.agents.$get()) });
  // Names are a help: without them the page stands.
  if (schema.data === undefined || agents.isPending) return { known: undefined, schema };
  const seen = agents.data?.agents ?? [];
  const declared = agents.data?.declared ?? [];
  const known: Known = {
    schema: schema.data as Json,
    // Types nest, which the types of answers do not follow.
    words: (words.data as ConditionWords | undefined) ?? null,
    tools: unique([...declared.map(({ tool }) => tool), ...seen.flatMap(({ tools }) => tools.map(({ tool }) => tool))]),
    agents: unique(seen.map(({ agent }) => agent)),
    environments: unique(seen.map(({ environment }) => environment)),
  };
  return { known, schema };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
