import { describe, expect, it } from "vitest";
import { decide, issues, loaded } from "./loading.ts";

function policy(when: string): string {
  return `saferun: policy/v1
environments: { prod: { unmatched: deny } }
tools: { mail.send: { kind: write } }
rules:
  - id: inside
    tool: mail.send
    when: >-
      ${when}
    then: allow
`;
}

describe("typed functions from a file to a decision", () => {
  it("reads a zone by name from the runtime's calendar", () => {
    // The tests' clock stands at 2023-11-14T22:13:20Z.
    const verdict = (when: string) => decide(loaded(policy(when)).policies, { tool: "mail.send" }).verdict;
    expect(verdict('day(now, "Asia/Tokyo") == "2023-11-15" && now.getHours("Asia/Tokyo") == 7')).toBe("allow");
    expect(verdict('day(now, "Europe/Zurich") == "2023-11-15"')).toBe("deny");
    expect(verdict('time("2023-11-14 23:13:20", "Europe/Zurich") == now')).toBe("allow");
  });

  it("says at load, with its place, which zone there is none of", () => {
    expect(issues(policy('day(now, "Europe/Zurcih") != ""'))).toEqual([
      expect.stringMatching(/^p1\.yaml:8:16 error not-available unknown time zone/),
    ]);
  });

  it("an allow rule does not match a text with a second reading (traps 7, 9)", () => {
    const { policies } = loaded(policy('inDomain(domain(args.to), "acme.com")'));
    const verdict = (to: string | string[]) => decide(policies, { tool: "mail.send", args: { to } }).verdict;
    expect(verdict("bob@acme.com")).toBe("allow");
    for (const to of [
      "eve@acme.com.evil.example",
      "bob@acme.com,eve@evil.example",
      ["bob@acme.com"],
      "bob@\u0430cme.com",
    ]) {
      expect(verdict(to)).toBe("deny");
    }
  });
});
