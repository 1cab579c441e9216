import { PageHead } from "../../ui/card.tsx";

export function ComparisonPage() {
  return <PageHead title="Comparison" />;
}
