import { PageHead } from "../../ui/card.tsx";

export function ProtectionsPage() {
  return <PageHead title="Protections" />;
}
