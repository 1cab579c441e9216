/** Slack's documented limits of messages and views: the emulator takes everything, Slack does not. */
import type { Json } from "@saferun/core";
import { at, isMap, textAt } from "../src/json-body.ts";

/** What Slack would refuse in one call of its Web API; empty for a good one. */
export function limitProblems(path: string, form: URLSearchParams): readonly string[] {
  const method = path.split("/").at(-1);
  if (method === "views.open") return viewProblems(JSON.parse(form.get("view") ?? "null") as Json);
  if (method !== "chat.postMessage" && method !== "chat.update" && method !== "chat.postEphemeral") return [];
  const blocks = JSON.parse(form.get("blocks") ?? "[]") as readonly Json[];
  const length = form.get("text")?.length ?? 0;
  return [
    ...(length > 4_000 ? [`text has ${length} characters`] : []),
    ...(JSON.stringify(blocks).length > 13_000 ? ["msg_blocks_too_long"] : []),
    ...blocksProblems(blocks, 50),
  ];
}

function viewProblems(view: Json): readonly string[] {
  const blocks = at(view, "blocks");
  return [
    ...most(view, ["title", "text"], 24),
    ...most(view, ["submit", "text"], 24),
    ...most(view, ["close", "text"], 24),
    ...most(view, ["private_metadata"], 3_000),
    ...most(view, ["callback_id"], 255),
    ...(JSON.stringify(view).length > 250_000 ? ["view_too_large"] : []),
    ...blocksProblems(Array.isArray(blocks) ? (blocks as readonly Json[]) : [], 100),
  ];
}

function blocksProblems(blocks: readonly Json[], count: number): readonly string[] {
  const blockIds = blocks.flatMap((block) => textAt(block, "block_id") ?? []);
  const actions = blocks.flatMap((block) => elementsOf(block).flatMap((one) => textAt(one, "action_id") ?? []));
  return [
    ...(blocks.length > count ? [`${blocks.length} blocks`] : []),
    ...(new Set(blockIds).size < blockIds.length ? ["a block_id twice"] : []),
    ...(new Set(actions).size < actions.length ? ["an action_id twice"] : []),
    ...blocks.flatMap(blockProblems),
  ];
}

function blockProblems(block: Json): readonly string[] {
  const elements = elementsOf(block);
  const own = most(block, ["block_id"], 255);
  switch (textAt(block, "type")) {
    case "header":
      return [...own, ...most(block, ["text", "text"], 150), ...least(block, ["text", "text"])];
    case "section":
      return [...own, ...most(block, ["text", "text"], 3_000), ...least(block, ["text", "text"])];
    case "context":
      return [...own, ...(elements.length > 10 ? ["more than 10 elements"] : [])];
    case "actions":
      return [...own, ...(elements.length > 25 ? ["more than 25 elements"] : []), ...elements.flatMap(buttonProblems)];
    case "input":
      return [
        ...own,
        ...most(block, ["label", "text"], 2_000),
        ...least(block, ["label", "text"]),
        ...most(block, ["hint", "text"], 2_000),
        ...most(block, ["element", "initial_value"], 3_000),
        ...most(block, ["element", "placeholder", "text"], 150),
        ...most(block, ["element", "action_id"], 255),
        ...inputProblems(at(block, "element") ?? null),
      ];
    case "rich_text":
      return elements.length === 0 ? ["an empty rich text"] : own;
    default:
      return [`unknown block ${String(textAt(block, "type"))}`];
  }
}

function inputProblems(element: Json): readonly string[] {
  const number = (key: string) => {
    const text = textAt(element, key);
    return text === undefined ? undefined : Number(text);
  };
  const [initial, min, max] = [number("initial_value"), number("min_value"), number("max_value")];
  switch (textAt(element, "type")) {
    case "plain_text_input": {
      const length = at(element, "max_length") ?? 3_000;
      if (typeof length !== "number" || length < 1 || length > 3_000) return ["max_length is not from 1 to 3000"];
      return most(element, ["initial_value"], length);
    }
    case "number_input":
      return [
        ...([initial, min, max].some((value) => Number.isNaN(value)) ? ["no number"] : []),
        ...(typeof at(element, "is_decimal_allowed") === "boolean" ? [] : ["is_decimal_allowed is missing"]),
        ...((min ?? 0) > (max ?? min ?? 0) ? ["min_value above max_value"] : []),
        ...((initial ?? 0) < (min ?? initial ?? 0) || (initial ?? 0) > (max ?? initial ?? 0) ? ["initial_value"] : []),
      ];
    case "static_select":
    case "multi_static_select": {
      const options = at(element, "options");
      const list = Array.isArray(options) ? (options as readonly Json[]) : [];
      const values = list.map((option) => textAt(option, "value"));
      const [one, several] = [at(element, "initial_option"), at(element, "initial_options")];
      const initial = Array.isArray(several) ? (several as readonly Json[]) : one === undefined ? [] : [one];
      const key = textAt(element, "type") === "static_select" ? "initial_options" : "initial_option";
      return [
        ...(list.length < 1 || list.length > 100 ? [`${list.length} options`] : []),
        ...list.flatMap((option) => [...most(option, ["text", "text"], 75), ...most(option, ["value"], 150)]),
        ...list.flatMap((option) => least(option, ["text", "text"])),
        ...(new Set(values).size < values.length ? ["a value twice"] : []),
        ...(at(element, key) === undefined ? [] : [`${key} does not belong here`]),
        ...(Array.isArray(several) && several.length === 0 ? ["initial_options is empty"] : []),
        ...(initial.every((chosen) => list.some((option) => JSON.stringify(option) === JSON.stringify(chosen)))
          ? []
          : ["what is chosen at first is none of the options"]),
      ];
    }
    default:
      return [`unknown element ${String(textAt(element, "type"))}`];
  }
}

function buttonProblems(button: Json): readonly string[] {
  return [
    ...most(button, ["text", "text"], 75),
    ...most(button, ["action_id"], 255),
    ...most(button, ["value"], 2_000),
    ...most(button, ["url"], 3_000),
  ];
}

function elementsOf(block: Json): readonly Json[] {
  const elements = at(block, "elements");
  return isMap(block) && Array.isArray(elements) ? (elements as readonly Json[]) : [];
}

function most(value: Json, path: readonly string[], length: number): readonly string[] {
  const text = textAt(value, ...path) ?? "";
  return text.length > length ? [`${path.join(".")} has ${text.length} characters, ${length} at most`] : [];
}

function least(value: Json, path: readonly string[]): readonly string[] {
  return textAt(value, ...path) === "" ? [`${path.join(".")} is empty`] : [];
}
