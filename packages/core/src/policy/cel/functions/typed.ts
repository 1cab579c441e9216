/** The functions for what attackers bend. Each refuses, as an error, a text that has a second reading. */
import { cidr } from "../text/cidr.ts";
import { globText } from "../text/glob-text.ts";
import { hasInvisible } from "../text/hidden.ts";
import { inDomain } from "../text/in-domain.ts";
import { links } from "../text/links.ts";
import { localDay, localTime } from "../text/local-time.ts";
import { mailDomain } from "../text/mail-domain.ts";
import { pathWithin } from "../text/path-within.ts";
import { holds } from "../text/secrets.ts";
import { shell } from "../text/shell.ts";
import { sql } from "../text/sql.ts";
import { urlHost } from "../text/url-host.ts";
import { zip } from "../text/zip.ts";
import { BOOL, type CelType, DYN, INT, STRING, STRINGS, TIMESTAMP } from "../types.ts";
import { ZONE_STEPS } from "./calendar.ts";
import { costing, global, type Overload, perItem, reading } from "./overload.ts";

function record(fields: Readonly<Record<string, CelType>>): CelType {
  return { kind: "object", fields, open: false };
}

const COMMANDS: CelType = { kind: "list", item: record({ name: STRING, args: STRINGS, writes: STRINGS }) };
const STATEMENTS = record({ kind: STRING, statements: INT, tables: STRINGS, where: BOOL });
const PAIRS: CelType = { kind: "list", item: { kind: "list", item: DYN } };

export const TYPED_FUNCTIONS: readonly Overload[] = [
  global("domain", ["string"], STRING, ([mail], offset) => mailDomain(mail, offset)),
  global("host", ["string"], STRING, ([url], offset) => urlHost(url, offset)),
  global("inDomain", ["string", "string"], BOOL, ([host, domain], offset) => inDomain(host, domain, offset)),
  global("cidr", ["string", "string"], BOOL, ([ip, range], offset) => cidr(ip, range, offset)),
  global("within", ["string", "string"], BOOL, ([path, root], offset) => pathWithin(path, root, null, offset)),
  global("within", ["string", "string", "string"], BOOL, ([path, root, base], offset) =>
    pathWithin(path, root, base, offset),
  ),
  reading(
    256,
    global("glob", ["string", "string"], BOOL, ([text, pattern], offset) => globText(text, pattern, offset)),
  ),
  global("hasInvisible", ["string"], BOOL, ([text]) => hasInvisible(text)),
  reading(
    8,
    global("links", ["string"], STRINGS, ([text], offset) => links(text, offset)),
  ),
  reading(
    16,
    global("holds", ["string", "string"], BOOL, ([text, kind], offset) => holds(text, kind, offset)),
  ),
  reading(
    8,
    global("shell", ["string"], COMMANDS, ([line], offset) => shell(line, offset)),
  ),
  reading(
    8,
    global("sql", ["string"], STATEMENTS, ([text], offset) => sql(text, offset)),
  ),
  costing(
    4 * ZONE_STEPS,
    global("time", ["string", "string"], TIMESTAMP, ([text, zone], offset, zones) =>
      localTime(text, zone, zones, offset),
    ),
  ),
  costing(
    ZONE_STEPS,
    global("day", ["timestamp", "string"], STRING, ([time, zone], offset, zones) =>
      localDay(time, zone, zones, offset),
    ),
  ),
  perItem(global("zip", ["list", "list"], PAIRS, ([a, b], offset) => zip(a, b, offset))),
];
