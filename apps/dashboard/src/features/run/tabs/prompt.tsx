/** What the model had been asked when it made this step, oldest message first. */
import type { Json, JsonObject } from "@saferun/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Badge } from "../../../ui/badge.tsx";
import { Button } from "../../../ui/button.tsx";
import { JsonTree } from "../../../ui/json-tree.tsx";
import { Failure } from "../../../ui/states.tsx";
import { Untrusted } from "../../../ui/text.tsx";
import { ContentView, shownOf } from "../content.tsx";
import { type Recorded, readPrompt } from "../tree.ts";
import { Part } from "./part.tsx";

const SHOWN = 30;
/** Of the longest prompt that there is. */
const ALL = 100_000;

export interface PromptTabProps {
  readonly run: string;
  /** The person's own. */
  readonly words: Recorded | null;
  readonly number: number;
}

export function PromptTab({ run, words, number }: PromptTabProps) {
  const [all, setAll] = useState(false);
  const { data, error, refetch } = useQuery({
    queryKey: ["run", run, "prompt", number, all],
    queryFn: ({ signal }) => readPrompt(run, number, all ? ALL : SHOWN, signal),
    placeholderData: (before, query) => (query?.queryKey[3] === number ? before : undefined),
  });
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return null;
  const { asked, before, messages } = data;
  if (!asked) {
    return (
      <Part title="The person's words">
        <ContentView content={words} />
      </Part>
    );
  }
  return (
    <>
      {before === 0 ? null : (
        <Button onClick={() => setAll(true)}>{before.toLocaleString()} messages before these</Button>
      )}
      <ol className="mt-3 space-y-3 first:mt-0" start={before + 1}>
        {messages.map((message, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a message's place is what it is known by
          <li key={before + at} className="rounded-md border border-line px-3 py-2">
            <Message content={message} />
          </li>
        ))}
      </ol>
    </>
  );
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
