/** The channels that are set up where `saferun dev` runs, each with a message that asks nothing. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client.ts";
import { messageOf } from "../../api/problem.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Failure, Skeleton } from "../../ui/states.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { words } from "../../ui/words.ts";

type Channel = Awaited<ReturnType<typeof readChannels>>["channels"][number];

function readChannels() {
  return ask(api.channels.$get());
}

export function Channels() {
  const { data, error, refetch } = useQuery({ queryKey: ["channels"], queryFn: readChannels });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={3} />;
  if (data.channels.length === 0) {
    return (
      <p className="text-muted">
        None is set up. A channel is set up by environment variables, such as{" "}
        <code className="font-mono text-ink">SLACK_BOT_TOKEN</code>; the guide of each channel names its own.
      </p>
    );
  }
  return (
    <ul aria-label="Channels" className="-mx-5 divide-y divide-line border-y border-line">
      {data.channels.map((channel) => (
        <ChannelRow key={channel.name} channel={channel} />
      ))}
    </ul>
  );
}

function ChannelRow({ channel: { name, ready, detail } }: { readonly channel: Channel }) {
  const test = useMutation({ mutationFn: () => ask(api.channels.test.$post({ json: { target: name } })) });
  const said = test.error === null ? test.data : { ok: false, detail: messageOf(test.error) };
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-mono font-medium break-all">
            <Untrusted>{name}</Untrusted>
          </span>
          <Badge tone={ready ? "allow" : "pause"}>{ready ? "ready" : "not ready"}</Badge>
        </p>
        <p className="text-sm break-words text-muted">
          <Untrusted>{detail}</Untrusted>
        </p>
        <p role="status" className={words("text-sm break-words", said?.ok === true ? "text-allow" : "text-deny")}>
          {said === undefined ? null : <Untrusted>{said.detail}</Untrusted>}
        </p>
      </div>
      <Button
        busy={test.isPending}
        disabled={!ready}
        onClick={() => test.mutate()}
        aria-label={`Send a test to ${name}`}
      >
        Send a test
      </Button>
    </li>
  );
}
