import { PageHead } from "../../ui/card.tsx";

export function RunPage() {
  return <PageHead title="Run" />;
}
