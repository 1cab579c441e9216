import { PageHead } from "../../ui/card.tsx";

export function LogPage() {
  return <PageHead title="Log" />;
}
