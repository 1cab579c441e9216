/** What each function is for, for the people who write policies. Examples are run by a test. */

export interface ManualEntry {
  readonly says: string;
  /** What is an error besides a value of another kind. */
  readonly refuses?: string;
  readonly example: string;
  /** The example's value as JSON. */
  readonly value: string;
}

export interface ManualSection {
  readonly title: string;
  readonly entries: Readonly<Record<string, ManualEntry>>;
}

const TYPED: ManualSection = {
  title: "For what attackers bend",
  entries: {
    domain: {
      says: "The domain of one bare mail address, in lower case.",
      refuses:
        "two addresses, display names, quotes, comments, routes (`%`, `!`), letters outside of ASCII, address literals, hosts of one label",
      example: 'domain("Bob@Acme.com")',
      value: '"acme.com"',
    },
    host: {
      says: "The host of an `http`, `https`, `ws` or `wss` address, in lower case; `www.…` is read as https. Addresses of version 6 come without brackets.",
      refuses:
        "other schemes, user names, an `@` before the first `/`, backslashes, blanks, encoded hosts, letters of other scripts (their `xn--` form is taken), odd spellings of IP addresses, underscores, hosts of one label",
      example: 'host("https://API.acme.com:8443/v1")',
      value: '"api.acme.com"',
    },
    inDomain: {
      says: "Whether a host is a domain or lies below it, label by label. Take the host with `host` or `domain` first. Name a domain that is yours: the function does not know that everyone may register below `co.uk`.",
      refuses: "what is no plain host name or address, and domains of one label",
      example: 'inDomain("mail.acme.com", "acme.com") && !inDomain("acme.com.evil.example", "acme.com")',
      value: "true",
    },
    cidr: {
      says: "Whether an IP address lies in a range. No name is looked up.",
      refuses:
        "names, other spellings, version 6 addresses that stand for one of version 4, ranges whose free bits are not zero",
      example: 'cidr("10.1.2.3", "10.0.0.0/8")',
      value: "true",
    },
    within: {
      says: "Whether a path is a folder or lies below it, as text: links in the file system are out of sight. A relative path needs the folder from which it counts as the third argument.",
      refuses:
        "`..`, `.`, `//`, a slash at the end, backslashes, `%2e`, `~`, `$`, drives, names that end in a dot or a blank, invisible characters, another normal form, a path that differs from the root in letter case only",
      example: 'within("/srv/data/a.txt", "/srv/data") && within("a.txt", "/srv/data", "/srv/data")',
      value: "true",
    },
    glob: {
      says: "Whether the whole text fits a pattern, in which `*` stands for any characters, slashes and dots too. For paths use `within`, for hosts `inDomain`.",
      refuses:
        "invisible characters, texts not in normal form C, patterns over 256 characters, long texts (over the budget of steps)",
      example: 'glob("report-2026.pdf", "report-*.pdf")',
      value: "true",
    },
    hasInvisible: {
      says: "Whether a text holds characters that nobody sees: zero-width and control characters, marks that turn the direction, tags, private use. Emoji and plain line ends are none.",
      example: 'hasInvisible("pay\\u200bpal")',
      value: "true",
    },
    links: {
      says: "The addresses in a free text, each once, as written: everything that some program would make clickable, bare names such as `acme.com` too. Mail addresses are none.",
      refuses:
        "invisible characters, dots and slashes in disguise, characters encoded as in HTML, words over 4,096 characters",
      example: 'links("see https://acme.com/a, or evil.example")',
      value: '["https://acme.com/a","evil.example"]',
    },
    holds: {
      says: 'Whether a text holds what looks like a secret: keys and tokens in the forms of their issuers, private keys, `password = …`. The kind is `"secret"`. A secret that looks like nothing known is not found.',
      refuses: "other kinds, invisible characters",
      example: 'holds("password = correct-horse", "secret")',
      value: "true",
    },
    shell: {
      says: "The commands that a shell line runs, each with `name`, `args`, and `writes`, the files that redirections write to. Arguments that are commands themselves (`find -exec`, `git -c`) are only seen as arguments.",
      refuses:
        "substitution, variables, wildcards, braces, comments, here-documents, assignments, keywords, groups, commands by path or in capitals, and commands that run others (`eval`, `env`, `sudo`, `xargs`, `sh` …)",
      example:
        'shell("ls -l && cat a > b").all(c, c.name in ["ls", "cat"] && c.writes.all(w, within(w, "/tmp", "/tmp")))',
      value: "true",
    },
    sql: {
      says: "What a piece of SQL does: `kind` (select, insert, update, delete, merge, ddl, other), `statements`, `tables`, and `where`, whether each statement has one of its own (also `where 1 = 1`). A select that writes, locks or calls an unknown function is `other`.",
      refuses:
        "comments, backslashes, quoting that dialects read differently, prefixed texts, definitions other than of tables and views, and everything that is not select, insert into, update, delete from, merge into",
      example:
        'sql("delete from orders where id = 5") == {"kind": "delete", "statements": 1, "tables": ["orders"], "where": true}',
      value: "true",
    },
    dec: {
      says: "An exact decimal number, from a text or a number. `+ - *` and comparisons work with decimals and whole numbers; doubles have to go through `dec` too.",
      refuses:
        "separators, a leading `+` or zero, exponents, blanks, `NaN`; `/` and `%`, which are not exact; more than 60 digits",
      example: 'dec("19.99") * 3 <= dec("60.00") && dec(0.1) + dec(0.2) == dec("0.3")',
      value: "true",
    },
    zip: {
      says: "Two lists as one list of pairs.",
      refuses: "lists of different lengths",
      example: 'zip(["a", "b"], [1, 2]).all(pair, pair[0] != "" && pair[1] > 0)',
      value: "true",
    },
  },
};

const TIMES: ManualSection = {
  title: "Times",
  entries: {
    timestamp: {
      says: "A moment, from RFC 3339 text or seconds since 1970.",
      refuses: "a text without an offset (use `time`), days that do not exist",
      example: 'timestamp("2026-05-01T09:30:00+02:00") == timestamp("2026-05-01T07:30:00Z")',
      value: "true",
    },
    duration: {
      says: "A span, from a text such as `90s` or `1h30m`.",
      refuses: "days and longer units, which have no fixed length",
      example: 'timestamp("2026-05-01T09:30:00Z") + duration("36h")',
      value: '"2026-05-02T21:30:00Z"',
    },
    time: {
      says: "A local time such as `2026-05-01T09:30` in a zone as a moment; a day alone is its midnight.",
      refuses:
        "a text with an offset of its own (use `timestamp`), and times that the zone's clocks skip or show twice",
      example: 'time("2026-05-01 09:30", "Europe/Zurich")',
      value: '"2026-05-01T07:30:00Z"',
    },
    day: {
      says: "The day on which a moment falls in a zone.",
      refuses: "unknown zones",
      example: 'day(timestamp("2026-05-01T23:30:00Z"), "Europe/Zurich")',
      value: '"2026-05-02"',
    },
    getFullYear: { says: "The year.", example: 'timestamp("2026-05-01T09:30:00Z").getFullYear()', value: "2026" },
    getMonth: { says: "The month, from 0.", example: 'timestamp("2026-05-01T09:30:00Z").getMonth()', value: "4" },
    getDate: {
      says: "The day of the month, from 1.",
      example: 'timestamp("2026-05-01T09:30:00Z").getDate()',
      value: "1",
    },
    getDayOfMonth: {
      says: "The day of the month, from 0.",
      example: 'timestamp("2026-05-01T09:30:00Z").getDayOfMonth()',
      value: "0",
    },
    getDayOfWeek: {
      says: "The day of the week, from 0 for Sunday.",
      example: 'timestamp("2026-05-01T09:30:00Z").getDayOfWeek()',
      value: "5",
    },
    getDayOfYear: {
      says: "The day of the year, from 0.",
      example: 'timestamp("2026-05-01T09:30:00Z").getDayOfYear()',
      value: "120",
    },
    getHours: {
      says: "The hour of the day, in a zone or in UTC; of a span, its whole hours.",
      refuses: "unknown zones",
      example: 'timestamp("2026-05-01T09:30:00Z").getHours("Europe/Zurich")',
      value: "11",
    },
    getMinutes: {
      says: "The minute of the hour; of a span, its whole minutes.",
      example: 'duration("1h30m").getMinutes()',
      value: "90",
    },
    getSeconds: {
      says: "The second of the minute; of a span, its whole seconds.",
      example: 'duration("1m5s").getSeconds()',
      value: "65",
    },
    getMilliseconds: {
      says: "The millisecond of the second.",
      example: 'timestamp("2026-05-01T09:30:00.25Z").getMilliseconds()',
      value: "250",
    },
  },
};

const TEXTS: ManualSection = {
  title: "Texts and lists",
  entries: {
    size: {
      says: "Characters of a text, bytes, items of a list, or keys of a map.",
      example: 'size("é😀") + [1, 2].size()',
      value: "4",
    },
    contains: { says: "Whether a text holds another.", example: '"refund".contains("fun")', value: "true" },
    startsWith: {
      says: "Whether a text begins with another. Not for paths, hosts, commands: see above.",
      example: '"ORD-1".startsWith("ORD-")',
      value: "true",
    },
    endsWith: {
      says: "Whether a text ends with another. Not for domains: see `inDomain`.",
      example: '"a.pdf".endsWith(".pdf")',
      value: "true",
    },
    matches: {
      says: "Whether a pattern in RE2 syntax matches anywhere in the text; `^` and `$` tie it to the ends. The pattern is a literal.",
      refuses: "back-references and looking around, which are not in RE2, at load",
      example: 'matches("ORD-123456", r"^ORD-\\d{6}$")',
      value: "true",
    },
    lowerAscii: { says: "A to Z in lower case.", example: '"ABC".lowerAscii()', value: '"abc"' },
    upperAscii: { says: "a to z in upper case.", example: '"abc".upperAscii()', value: '"ABC"' },
    trim: { says: "Without blanks at both ends.", example: '" a ".trim()', value: '"a"' },
    split: {
      says: "The parts between a separator, at most so many.",
      example: '"a,b,c".split(",", 2)',
      value: '["a","b,c"]',
    },
    join: {
      says: "A list of texts as one.",
      refuses: "items that are no texts",
      example: '["a", "b"].join("-")',
      value: '"a-b"',
    },
    replace: {
      says: "With one text put for another, at most so often.",
      example: '"a-b-c".replace("-", "+", 1)',
      value: '"a+b-c"',
    },
    indexOf: {
      says: "Where a text stands in another, from 0; -1 for nowhere.",
      refuses: "a start outside of the text",
      example: '"abcabc".indexOf("c", 3)',
      value: "5",
    },
    substring: {
      says: "From one position up to before another.",
      refuses: "positions outside of the text",
      example: '"abcdef".substring(1, 3)',
      value: '"bc"',
    },
    charAt: {
      says: "The character at a position.",
      refuses: "a position outside of the text",
      example: '"abc".charAt(1)',
      value: '"b"',
    },
  },
};

const CONVERSIONS: ManualSection = {
  title: "Kinds and conversions",
  entries: {
    type: { says: "The kind of a value.", example: "type(1.5) == double", value: "true" },
    dyn: { says: "The same value, of which nothing is known at load.", example: 'dyn(1) == dyn("1")', value: "false" },
    int: {
      says: "A whole number; doubles are cut towards zero, a moment gives its seconds since 1970.",
      refuses: "texts that are no whole number, values beyond 64 bits",
      example: 'int("42") + int(3.9)',
      value: "45",
    },
    uint: {
      says: "A whole number without a sign.",
      refuses: "negative values",
      example: 'uint("42") == 42u',
      value: "true",
    },
    double: {
      says: "A floating number. For money use `dec`.",
      refuses: "texts that are no number, `NaN` and `Infinity` among them",
      example: 'double("1.5e2")',
      value: "150",
    },
    bool: { says: "true or false, from a text.", refuses: "other words", example: 'bool("true")', value: "true" },
    string: {
      says: "A value as text.",
      refuses: "bytes that are no UTF-8, lists and maps",
      example: "string(42) + string(true)",
      value: '"42true"',
    },
    bytes: { says: "A text as UTF-8.", example: 'size(bytes("é"))', value: "2" },
  },
};

const OPTIONALS: ManualSection = {
  title: "Values that may be absent",
  entries: {
    orValue: {
      says: "What `.?` found, or another value. In a deny rule an absent argument then decides: prefer a rule that fails on it.",
      example: '{"a": 1}.?b.orValue(5)',
      value: "5",
    },
    or: {
      says: "The first of two optionals that holds a value.",
      example: "optional.none().or(optional.of(3)).value()",
      value: "3",
    },
    hasValue: { says: "Whether an optional holds a value.", example: '{"a": 1}.?a.hasValue()', value: "true" },
    value: { says: "What an optional holds.", refuses: "an empty one", example: '{"a": 1}.?a.value()', value: "1" },
    "optional.of": { says: "An optional that holds a value.", example: "optional.of(1).hasValue()", value: "true" },
    "optional.ofNonZeroValue": {
      says: "The same, but empty for zero, the empty text, list and map, false and null.",
      example: 'optional.ofNonZeroValue("").hasValue()',
      value: "false",
    },
    "optional.none": { says: "An empty optional.", example: "optional.none().hasValue()", value: "false" },
  },
};

export const MANUAL: readonly ManualSection[] = [TYPED, TIMES, TEXTS, CONVERSIONS, OPTIONALS];
