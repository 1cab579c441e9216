/** What went wrong with a request, in the server's own words. */
export class RequestProblem extends Error {
  readonly status: number;
  /** A closed word for the page; the message is for the person. */
  readonly code: string;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, message: string, body: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "RequestProblem";
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

export async function problemOf(response: Response): Promise<RequestProblem> {
  const body: unknown = await response.json().catch(() => ({}));
  const map = typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const { code, detail } = map;
  return new RequestProblem(
    response.status,
    typeof code === "string" ? code : "answer.unreadable",
    typeof detail === "string" ? detail : `the gate answered with status ${response.status}`,
    map,
  );
}

export const UNREACHABLE = "gate.unreachable";

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "something failed";
}
