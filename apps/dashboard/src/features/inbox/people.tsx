/** Who has agreed, and how many more must. */
import { Badge } from "../../ui/badge.tsx";
import { Untrusted } from "../../ui/text.tsx";
import type { Approval } from "./approval.ts";
import { Part } from "./part.tsx";

export function People({ approval }: { readonly approval: Approval }) {
  const more = missingPeople(approval);
  if (approval.votes.length === 0 && more < 2) return null;
  return (
    <Part title="Who has to agree">
      <ul>
        {approval.votes.map(({ by, via }) => (
          <li key={by}>
            <Badge tone="allow">agreed</Badge> <Untrusted>{by}</Untrusted> <span className="text-muted">in {via}</span>
          </li>
        ))}
      </ul>
      {approval.state !== "pending" || more === 0 ? null : (
        <p>
          {approval.votes.length === 0 ? `${more} people` : `${more} more ${more === 1 ? "person" : "people"}`}
          <span className="text-muted">{rolesText(approval)}</span>
        </p>
      )}
    </Part>
  );
}

export function missingPeople({ missing }: Approval): number {
  return missing.reduce((sum, { people }) => sum + people, 0);
}

function rolesText({ missing }: Approval): string {
  const roles = [...new Set(missing.flatMap((one) => (Array.isArray(one.roles) ? one.roles.map(String) : [])))];
  return roles.length === 0 ? "" : ` with the role ${roles.join(" or ")}`;
}
