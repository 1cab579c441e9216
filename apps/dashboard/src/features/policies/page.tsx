import { PageHead } from "../../ui/card.tsx";

export function PoliciesPage() {
  return <PageHead title="Policies" />;
}
