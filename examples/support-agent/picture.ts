/**
 * Draws what the demo prints as `docs/assets/demo.svg`: plays it, reads the colours of the terminal, writes plain SVG text.
 * `node --conditions=@saferun/source examples/support-agent/picture.ts`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { playDemo } from "./play-demo.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TARGET = join(ROOT, "docs/assets/demo.svg");

/** A dark terminal with a border stands well on GitHub's light page and on its dark one. */
const THEME = {
  back: "#0d1117",
  bar: "#161b22",
  border: "#3d444d",
  text: "#e6edf3",
  dim: "#8b949e",
  green: "#3fb950",
  yellow: "#d29922",
  red: "#ff7b72",
};
const CHARACTER = { width: 8.4, height: 21, size: 14 };
const BAR = 38;
const PADDING = 22;

interface Piece {
  readonly text: string;
  readonly column: number;
  readonly bold: boolean;
  readonly color: string;
}

/** SGR codes that `util.styleText` writes. */
const COLORS: Readonly<Record<string, string>> = { 2: THEME.dim, 31: THEME.red, 32: THEME.green, 33: THEME.yellow };

/** One line of terminal output → its words, each at its column: so that a glyph of odd width moves nothing. */
function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  let column = 0;
  let bold = false;
  let color = THEME.text;
  for (const part of line.split(/(\u001b\[\d+m)/)) {
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code === undefined) {
      for (const { 0: text, index } of part.matchAll(/\S+(?: \S+)*/g)) {
        pieces.push({ text, column: column + index, bold, color });
      }
      column += part.length;
    } else if (code === "1") bold = true;
    else if (code === "22" || code === "39" || code === "0") [bold, color] = [false, THEME.text];
    else color = COLORS[code] ?? color;
  }
  return pieces;
}

function draw(output: string): string {
  const lines = output.trimEnd().split("\n").map(piecesOf);
  const columns = Math.max(...lines.flat().map(({ column, text }) => column + text.length));
  const width = Math.ceil(columns * CHARACTER.width) + 2 * PADDING;
  const height = BAR + lines.length * CHARACTER.height + 2 * PADDING - 8;
  const text = lines.flatMap((pieces, row) => pieces.map((piece) => textElement(piece, row)));
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map((color, index) => {
    return `<circle cx="${PADDING + index * 20}" cy="${BAR / 2}" r="6" fill="${color}"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">npm start -- --once: what a support agent asked for, what the gate said, and what ran</title>',
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="${THEME.back}" stroke="${THEME.border}"/>`,
    `<path d="M1 ${BAR}V11A10 10 0 0 1 11 1H${width - 11}A10 10 0 0 1 ${width - 1} 11V${BAR}Z" fill="${THEME.bar}"/>`,
    ...dots,
    `<g font-family="ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace" font-size="${CHARACTER.size}" fill="${THEME.text}">`,
    `<text x="${width / 2}" y="${BAR / 2 + 5}" text-anchor="middle" fill="${THEME.dim}">npm start -- --once</text>`,
    ...text,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function textElement({ text, column, bold, color }: Piece, row: number): string {
  const x = (PADDING + column * CHARACTER.width).toFixed(1);
  const y = BAR + PADDING + row * CHARACTER.height + 8;
  const fill = color === THEME.text ? "" : ` fill="${color}"`;
  const weight = bold ? ' font-weight="600"' : "";
  const length = ` textLength="${(text.length * CHARACTER.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${x}" y="${y}"${fill}${weight}${length}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The story without its last lines, which name a directory of this machine. */
async function play(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), "saferun-picture-"));
  try {
    const env = { FORCE_COLOR: "1", NO_COLOR: undefined };
    const { code, stdout, stderr } = await playDemo(["--once", "--data", data], { env });
    if (code !== 0) throw new Error(`the demo ended with ${code}: ${stderr}`);
    return stdout.split(/\n+See it again/)[0] ?? "";
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

mkdirSync(join(ROOT, "docs/assets"), { recursive: true });
writeFileSync(TARGET, draw(await play()));
process.stdout.write(`${TARGET}\n`);
