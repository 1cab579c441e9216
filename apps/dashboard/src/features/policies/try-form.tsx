/** A call that nobody makes: its fields as text, and the call that they come to. */
import type { Json, JsonObject } from "@saferun/core";
import { useId, useState } from "react";
import { isMap } from "../../api/json.ts";
import { Button } from "../../ui/button.tsx";
import { TextArea, TextField } from "../../ui/field.tsx";
import type { Known } from "./editor/completion.ts";
import type { TriedCall } from "./read.ts";

export interface TryFormProps {
  readonly call: TriedCall | undefined;
  readonly known: Known;
  readonly onTry: (call: TriedCall) => void;
}

export function TryForm({ call, known, onTry }: TryFormProps) {
  const lists = useId();
  const [tool, setTool] = useState(textOf(call?.tool) ?? known.tools[0] ?? "");
  const [args, setArgs] = useState(call?.args === undefined ? "{}" : JSON.stringify(call.args, null, 2));
  const [agent, setAgent] = useState(textOf(call?.agent) ?? known.agents[0] ?? "agent");
  const [env, setEnv] = useState(textOf(call?.env) ?? known.environments[0] ?? "prod");
  const [principal, setPrincipal] = useState(call?.principal === undefined ? "" : JSON.stringify(call.principal));
  const readArgs = objectIn(args);
  const who = principal.trim() === "" ? undefined : objectIn(principal);
  const ready = tool.trim() !== "" && "value" in readArgs && (who === undefined || "value" in who);
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!("value" in readArgs)) return;
        const given = who !== undefined && "value" in who ? { principal: who.value } : {};
        onTry({ tool: tool.trim(), args: readArgs.value, agent, env, ...given });
      }}
    >
      <TextField label="Tool" list={`${lists}-tools`} value={tool} onChange={(event) => setTool(event.target.value)} />
      <Names id={`${lists}-tools`} names={known.tools} />
      <TextArea
        label="Arguments"
        hint="JSON, as the agent would send them."
        rows={5}
        spellCheck={false}
        className="font-mono"
        value={args}
        error={"mistake" in readArgs ? readArgs.mistake : undefined}
        onChange={(event) => setArgs(event.target.value)}
      />
      <div className="grid grid-cols-2 gap-3">
        <TextField
          label="Agent"
          list={`${lists}-agents`}
          value={agent}
          onChange={(event) => setAgent(event.target.value)}
        />
        <TextField
          label="Environment"
          list={`${lists}-environments`}
          value={env}
          onChange={(event) => setEnv(event.target.value)}
        />
      </div>
      <Names id={`${lists}-agents`} names={known.agents} />
      <Names id={`${lists}-environments`} names={known.environments} />
      <TextField
        label="Principal"
        hint={'For whom the run is, such as {"id":"u1","roles":["customer"]}; empty: nobody.'}
        className="font-mono"
        value={principal}
        error={who !== undefined && "mistake" in who ? who.mistake : undefined}
        onChange={(event) => setPrincipal(event.target.value)}
      />
      <Button type="submit" tone="primary" disabled={!ready}>
        Judge this call
      </Button>
    </form>
  );
}

function Names({ id, names }: { readonly id: string; readonly names: readonly string[] }) {
  return (
    <datalist id={id}>
      {names.map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}

type Read = { readonly value: JsonObject } | { readonly mistake: string };

function objectIn(text: string): Read {
  try {
    const value: unknown = JSON.parse(text);
    if (isMap(value)) return { value };
    return { mistake: 'an object is needed, such as {"amount": 100}' };
  } catch (error) {
    return { mistake: error instanceof Error ? error.message : "this is no JSON" };
  }
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
