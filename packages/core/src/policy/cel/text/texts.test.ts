import { describe, expect, it } from "vitest";
import { Fault } from "../issues.ts";
import { globText } from "./glob-text.ts";
import { hasInvisible } from "./hidden.ts";
import { links } from "./links.ts";
import { pathWithin } from "./path-within.ts";
import { holds } from "./secrets.ts";
import { zip } from "./zip.ts";

const refused = expect.any(Fault);

describe("[P4~] a path within a folder (traps 9, 10)", () => {
  it.each([
    ["/srv/data", "/srv/data", true],
    ["/srv/data/a b/c.txt", "/srv/data/", true],
    ["/srv/database", "/srv/data", false],
    ["/etc/passwd", "/srv/data", false],
    ["/anything", "/", true],
    ["/srv/data/...x", "/srv/data", true],
    ["/srv/data/\u00fcber/\u65e5\u672c", "/srv/data", true],
  ])("%j in %j is %j", (path, root, inside) => expect(pathWithin(path, root, null, 0)).toBe(inside));

  it.each([
    ["report.txt", "/srv/data", true],
    ["sub/report.txt", "/srv/data/", true],
    ["/etc/passwd", "/srv/data", false],
    ["/srv/data/x", "/tmp", true],
    ["data/x", "/srv", true],
    ["srv/data/x", "/", true],
  ])("%j from %j", (path, base, inside) => expect(pathWithin(path, "/srv/data", base, 0)).toBe(inside));

  it.each([
    ["nothing", ""],
    ["a relative path", "data/x"],
    ["..", "/srv/data/../../etc/passwd"],
    [".. at the end", "/srv/data/.."],
    ["a dot", "/srv/data/./x"],
    ["a dot at the end", "/srv/data/x."],
    ["a blank at the end", "/srv/data/x "],
    [".. and a blank", "/srv/data/.. /x"],
    ["two slashes", "/srv//data"],
    ["two slashes first", "//server/share"],
    ["a slash at the end", "/srv/data/"],
    ["a backslash", "/srv/data\\..\\x"],
    ["an encoded dot", "/srv/data/%2e%2e/x"],
    ["an encoded slash", "/srv/data/..%2fx"],
    ["twice encoded", "/srv/data/%252e%252e/x"],
    ["a null byte", "/srv/data/x\0.png"],
    ["a line end", "/srv/data/x\n/etc"],
    ["a home", "~/x"],
    ["somebody's home", "~root/x"],
    ["a drive", "C:/srv/data"],
    ["a variable", "/srv/data/$HOME"],
    ["a command", "/srv/data/`id`"],
    ["an option", "-rf"],
    ["a URL", "file:///srv/data/x"],
    ["a wide slash", "/srv/data/..\uff0fx"],
    ["a wide dot", "/srv/data/\uff0e\uff0e/x"],
    ["a two dot leader", "/srv/data/\u2025/x"],
    ["a division slash in compatibility form", "/srv/data/\u2100/x"],
    ["a zero-width space", "/srv/data/.\u200b./x"],
    ["a turned text", "/srv/data/\u202etxt.exe"],
    ["another normal form", "/srv/data/u\u0308ber"],
    ["capitals", "/SRV/data/x"],
    ["a wide letter that folds into the root", "/srv/d\uff41ta/x"],
    ["half a pair", "/srv/data/\ud800"],
    ["a text too long", `/${"a".repeat(5_000)}`],
  ])("refuses %s: %j", (_name, path) => expect(pathWithin(path, "/srv/data", null, 7)).toEqual(refused));

  it.each([
    ["..", "../x"],
    ["a dot", "./x"],
    ["an option", "-x"],
    ["a drive", "c:/x"],
    ["a home", "~/x"],
  ])("refuses %s from a folder too", (_name, path) =>
    expect(pathWithin(path, "/srv/data", "/srv/data", 7)).toEqual(refused),
  );

  it.each(["", "data", "/srv/../etc", "/srv//data", "~"])("refuses the root %j", (root) => {
    expect(pathWithin("/srv/data/x", root, null, 7)).toEqual(refused);
    expect(pathWithin("x", "/srv", root, 7)).toEqual(refused);
  });
});

describe("[P4~] invisible characters (trap 10)", () => {
  it.each([
    "plain text, with marks: !?",
    "two\nlines\r\n\tand a tab",
    "\u00fcber \u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439 \u0639\u0631\u0628\u064a",
    "\u2764\ufe0f and \u{1f469}\u200d\u{1f4bb} and \u{1f44d}\u{1f3fd} and 1\ufe0f\u20e3",
    "caf\u0065\u0301",
    "no\u00a0break",
  ])("none in %j", (text) => expect(hasInvisible(text)).toBe(false));

  it.each([
    ["zero-width space", "a\u200bb"],
    ["zero-width non-joiner", "a\u200cb"],
    ["zero-width joiner between letters", "a\u200db"],
    ["zero-width joiner at the end of an emoji", "\u{1f469}\u200d"],
    ["word joiner", "a\u2060b"],
    ["byte order mark", "\ufeffa"],
    ["soft hyphen", "a\u00adb"],
    ["right-to-left override", "a\u202eb"],
    ["isolate", "a\u2066b"],
    ["right-to-left mark", "a\u200fb"],
    ["tag letters", "a\u{e0041}\u{e0042}"],
    ["variation selector behind a letter", "a\ufe0f"],
    ["two variation selectors", "\u2764\ufe0f\ufe0f"],
    ["selector supplement", "a\u{e0100}"],
    ["combining grapheme joiner", "a\u034fb"],
    ["Hangul filler", "a\u3164b"],
    ["half-width Hangul filler", "a\uffa0b"],
    ["Mongolian vowel separator", "a\u180eb"],
    ["braille blank", "a\u2800b"],
    ["null", "a\0b"],
    ["escape", "a\u001b[8mb"],
    ["backspace", "a\bb"],
    ["delete", "a\u007fb"],
    ["next line", "a\u0085b"],
    ["line separator", "a\u2028b"],
    ["paragraph separator", "a\u2029b"],
    ["private use", "a\ue000b"],
    ["half a pair", "a\ud800b"],
    ["unassigned", "a\u0378b"],
    ["interlinear annotation", "a\ufff9b"],
    ["invisible times", "a\u2062b"],
  ])("%s", (_name, text) => expect(hasInvisible(text)).toBe(true));
});

describe("[P4~] globs over texts", () => {
  it.each([
    ["report-2026.pdf", "report-*.pdf", true],
    ["report-2026.pdf.exe", "report-*.pdf", false],
    ["a/b/c", "a/*", true],
    ["abc", "abc", true],
    ["ABC", "abc", false],
    ["a.c", "a?c", false],
    ["", "*", true],
  ])("%j fits %j: %j", (text, pattern, fits) => expect(globText(text, pattern, 0)).toBe(fits));
  it.each([
    ["an invisible character", "a\u200b", "a*"],
    ["a null byte", "a\0", "a*"],
    ["another normal form", "e\u0301", "*"],
    ["a pattern too long", "a", "a".repeat(300)],
  ])("refuses %s", (_name, text, pattern) => expect(globText(text, pattern, 7)).toEqual(refused));
});

describe("[P4~] links in a text (traps 9, 10)", () => {
  it.each([
    ["no links here, e.g. in report.pdf or v1.2.3 at 10:30", []],
    ["see https://acme.com/a.", ["https://acme.com/a"]],
    ["(https://acme.com/a)", ["https://acme.com/a"]],
    [
      "[x](https://acme.com/a)[y](https://evil.example)",
      ["https://acme.com/a)[y](https://evil.example", "https://evil.example"],
    ],
    ['<a href="https://acme.com">x</a>', ["https://acme.com"]],
    ["<a href='https://acme.com'>x</a>", ["https://acme.com"]],
    ["https://acme.com,@evil.example/", ["https://acme.com,@evil.example/"]],
    ["https://acme.com'.evil.example/", ["https://acme.com'.evil.example/"]],
    ["go to www.evil.example/x now", ["www.evil.example/x"]],
    ["go to evil.example!", ["evil.example"]],
    ["write to bob@acme.com", []],
    ["q=evil.example", ["evil.example"]],
    ["![](//evil.example/x.png)", ["//evil.example/x.png"]],
    ["[x](\\\\evil.example)", ["\\\\evil.example"]],
    ["[x](https:evil.example)", ["https:evil.example"]],
    ["[x](https:/evil.example)", ["https:/evil.example"]],
    [
      "javascript:alert(1) data:text/html,x mailto:bob@acme.com tel:+4144",
      ["javascript:alert(1", "data:text/html,x", "mailto:bob@acme.com", "tel:+4144"],
    ],
    ["HTTPS://EVIL.EXAMPLE", ["HTTPS://EVIL.EXAMPLE"]],
    ["ftp://evil.example custom+app://x", ["ftp://evil.example", "custom+app://x"]],
    ["http://192.0.2.1:8080/x and 192.0.2.1", ["http://192.0.2.1:8080/x", "192.0.2.1"]],
    [
      "m\u00fcnchen.de and \u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444",
      ["m\u00fcnchen.de", "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444"],
    ],
    ["https://a.example https://a.example", ["https://a.example"]],
    ["xhttps://evil.example", ["xhttps://evil.example"]],
    ["https:/\n/evil.example", ["https:/", "evil.example"]],
    ["\u4f60\u597d\u3002\u5f88\u597d\uff1a\u662f", []],
    ["well\u2026 fine", []],
  ])("%j", (text, found) => expect(links(text, 0)).toEqual(found));

  it.each([
    ["a zero-width space", "evil\u200b.example"],
    ["an ideographic full stop", "evil\u3002example"],
    ["a wide colon", "https\uff1a//evil.example"],
    ["wide slashes", "https:\uff0f\uff0fevil.example"],
    ["numbers of characters", "https&#58;//evil.example"],
    ["names of characters", "javascript&colon;alert(1)"],
    ["a line end inside a scheme, by name", "java&NewLine;script:alert(1)"],
    ["a turned text", "\u202eelpmaxe.live"],
    ["a word too long", `https://${"a".repeat(5_000)}`],
  ])("refuses %s", (_name, text) => expect(links(text, 7)).toEqual(refused));
});

describe("[P4~] secrets in a text", () => {
  const random = "Zx81kQmT4vB9wLr2NcY7pHs5";
  it.each([
    "AKIAABCDEFGHIJKLMNOP",
    `ghp_${random}${random}`,
    `github_pat_${random}`,
    "glpat-abcdefghij_klmnopqrst",
    "xoxb-123456789012-abcdef",
    "https://hooks.slack.com/services/T00000000/B00000000/abc",
    `sk_live_${random}`,
    `sk-ant-api03-${random}`,
    `sk-proj-${random}`,
    `AIza${random}${random}`.slice(0, 39),
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
    "postgres://user:hunter22@db.internal/x",
    "Authorization: Bearer abcdefgh12345678",
    "password = correct-horse",
    '"api_key": "0123456789abcdef"',
    `SG.${random}.${random}`,
    `the key is npm_${random}${random}.`,
  ])("finds %j", (text) => expect(holds(`here it is:\n${text}\nthanks`, "secret", 0)).toBe(true));

  it.each([
    "Dear Bob, your order ORD-123456 has shipped.",
    "the password policy asks for twelve characters",
    "see https://acme.com/reset?token=",
    "skiing in October, and AKIA is a word",
    "8f14e45fceea167a5a36dedd4bea2543",
  ])("finds none in %j", (text) => expect(holds(text, "secret", 0)).toBe(false));

  it("refuses other kinds, and texts in which a secret may be cut in two", () => {
    expect(holds("x", "card", 7)).toEqual(refused);
    expect(holds(`sk_live_\u200b${random}`, "secret", 7)).toEqual(refused);
  });

  it("is linear on texts made against it (trap 13)", () => {
    for (const piece of ["a", "sk_live_", "password ", "eyJa.", "http://a:", "x:", "-----BEGIN "]) {
      expect(holds(piece.repeat(Math.floor(200_000 / piece.length)), "secret", 0)).not.toEqual(refused);
    }
  });
});

describe("zip", () => {
  it("pairs two lists of one length, and refuses others (trap 7)", () => {
    expect(zip(["a", "b"], [1, 2], 0)).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect(zip([], [], 0)).toEqual([]);
    expect(zip(["a"], [], 7)).toEqual(refused);
  });
});
