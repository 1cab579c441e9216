import { PageHead } from "../../ui/card.tsx";

export function RunsPage() {
  return <PageHead title="Runs" />;
}
