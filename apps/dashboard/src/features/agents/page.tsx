import { PageHead } from "../../ui/card.tsx";

export function AgentsPage() {
  return <PageHead title="Agents" />;
}
