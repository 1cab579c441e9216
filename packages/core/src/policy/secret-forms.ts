/**
 * The forms of credentials that their issuers publish, in one place: what `holds` finds is what `change` redacts. A list,
 * not a guess: what merely looks random is in neither.
 */

/**
 * How a key begins, of which characters it goes on, and how many those are at least, or exactly. It begins where a word
 * does, and its start is fixed letters: a search is linear.
 */
const KEYS: readonly (readonly [start: string, characters: string, least: number, exactly?: true])[] = [
  // Amazon, Google, Azure, DigitalOcean
  ["(?:AKIA|ASIA|ABIA|ACCA)", "A-Z0-9", 16, true],
  ["AIza", "A-Za-z0-9_-", 35],
  ["ya29\\.", "A-Za-z0-9_-", 20],
  ["GOCSPX-", "A-Za-z0-9_-", 20],
  ["AccountKey=", "A-Za-z0-9+/", 40],
  ["do[opr]_v1_", "0-9a-f", 32],
  // source code and packages
  ["gh[oprsu]_", "A-Za-z0-9", 30],
  ["github_pat_", "A-Za-z0-9_", 20],
  ["gl(?:pat|dt|rt|ptt|cbt)-", "A-Za-z0-9_-", 18],
  ["npm_", "A-Za-z0-9", 30],
  ["pypi-AgE", "A-Za-z0-9_-", 20],
  // messages and mail
  ["xox[abeoprs]-", "A-Za-z0-9-", 10],
  ["xapp-", "A-Za-z0-9-", 10],
  ["hooks\\.slack\\.com/(?:services|workflows)/", "A-Za-z0-9/", 20],
  ["SG\\.[A-Za-z0-9_-]{16,}\\.", "A-Za-z0-9_-", 16],
  ["key-", "0-9a-f", 32],
  ["(?:AC|SK)", "0-9a-f", 32, true],
  // payments, models, platforms
  ["[rs]k_(?:live|test)_", "A-Za-z0-9", 10],
  ["whsec_", "A-Za-z0-9+/=", 20],
  ["sk-(?:ant-|proj-|svcacct-)?", "A-Za-z0-9_-", 20],
  ["hf_", "A-Za-z0-9", 30],
  ["(?:shpat|shpca|shppa|shpss)_", "0-9a-fA-F", 32],
  ["lin_(?:api|oauth)_", "A-Za-z0-9", 20],
  ["dapi", "0-9a-f", 32],
  ["hv[bs]\\.", "A-Za-z0-9_-", 20],
  ["AGE-SECRET-KEY-1", "0-9A-Z", 20],
  // tokens with a structure; begun inside of one, a search would read it again from each of its hyphens
  ["(?<![_-])eyJ[A-Za-z0-9_-]{8,}\\.eyJ", "A-Za-z0-9_.-", 8],
];

const WHOLE = KEYS.map(([start, characters, least, exactly]) =>
  exactly === true ? `${start}[${characters}]{${least}}(?![A-Za-z0-9])` : `${start}[${characters}]{${least},}`,
);

/** Each key of these forms, whole: for a search with `g`. */
export const KEY_FORM = `(?<![A-Za-z0-9])(?:${WHOLE.join("|")})`;

/** The first line of a private key in PEM. */
export const PEM_BEGIN = "-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----";
