/** What the model had been asked when it made this step, oldest message first. */
import { type Json, type JsonObject, promptMessages } from "@saferun/core";
import { useMemo, useState } from "react";
import { Badge } from "../../../ui/badge.tsx";
import { Button } from "../../../ui/button.tsx";
import { JsonTree } from "../../../ui/json-tree.tsx";
import { Untrusted } from "../../../ui/text.tsx";
import { ContentView, shownOf } from "../content.tsx";
import type { ModelStep, Recorded, Step, Tree } from "../tree.ts";
import { Part } from "./part.tsx";

const SHOWN = 30;

export function PromptTab({
  tree,
  steps,
  step,
}: {
  readonly tree: Tree;
  readonly steps: readonly Step[];
  readonly step: Step;
}) {
  const [all, setAll] = useState(false);
  const asked = steps.findLast((one): one is ModelStep => one.kind === "model" && one.number <= step.number);
  const messages = useMemo(() => (asked === undefined ? [] : messagesOf(tree, steps, asked)), [tree, steps, asked]);
  if (asked === undefined) {
    return (
      <Part title="The person's words">
        <ContentView content={tree.prompt} />
      </Part>
    );
  }
  const first = all ? 0 : Math.max(0, messages.length - SHOWN);
  return (
    <>
      {first === 0 ? null : (
        <Button onClick={() => setAll(true)}>{first.toLocaleString()} messages before these</Button>
      )}
      <ol className="mt-3 space-y-3 first:mt-0" start={first + 1}>
        {messages.slice(first).map((message, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a message's place is what it is known by
          <li key={first + at} className="rounded-md border border-line px-3 py-2">
            <Message content={message} />
          </li>
        ))}
      </ol>
    </>
  );
}

function messagesOf(tree: Tree, steps: readonly Step[], asked: ModelStep): readonly (Recorded | null)[] {
  const models = new Map(steps.flatMap((one) => (one.kind === "model" ? [[one.number, one] as const] : [])));
  return promptMessages(tree, models, asked);
}

function mapOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** `{role, content}` as most model APIs write it; anything else as it is. */
function Message({ content }: { readonly content: Recorded | null }) {
  if (content === null) return <p className="text-muted">This message is not in the log.</p>;
  const value = shownOf(content);
  const map = mapOf(value);
  if (map === undefined || typeof map.role !== "string" || (content.state === "present" && content.masked.length > 0))
    return <ContentView content={content} />;
  const { role, content: said, ...rest } = map;
  return (
    <>
      <p className="mb-1">
        <Badge>
          <Untrusted>{String(role)}</Untrusted>
        </Badge>
      </p>
      {said === undefined ? null : <Said content={said} />}
      {Object.keys(rest).length === 0 ? null : <JsonTree value={rest} />}
    </>
  );
}

/** Words as words; whatever else a message holds as it is. */
function Said({ content }: { readonly content: Json }) {
  const texts = Array.isArray(content) ? content.map(textOf) : [];
  if (texts.length === 0 || texts.includes(undefined)) return <JsonTree value={content} />;
  return texts.map((text, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a part's place is what it is known by
    <div key={at} className="break-words">
      <JsonTree value={text} />
    </div>
  ));
}

/** Of a part that holds a text and nothing else. */
function textOf(part: Json): string | undefined {
  const { type, text, ...rest } = mapOf(part) ?? {};
  const plain = type === "text" || type === "input_text" || type === "output_text";
  return plain && typeof text === "string" && Object.keys(rest).length === 0 ? text : undefined;
}
