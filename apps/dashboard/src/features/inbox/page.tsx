import { PageHead } from "../../ui/card.tsx";

export function InboxPage() {
  return <PageHead title="Inbox" />;
}
