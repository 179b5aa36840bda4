import { text } from "./strings.js";

const LOCKED = 401; // the cookie has run out, or the token was changed

/** A refused request: the server's sentence, its code, and whether asking again may help. */
export class ApiError extends Error {
  constructor(message, { code = "internal", status = 0, retryable = false } = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retryable = retryable;
  }
}

async function refusal(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // Not JSON: a proxy in between, perhaps. The status has to do.
  }
  const told = response.status === LOCKED ? text("api.locked") : error.message; // the gateway's speaks to programs, too
  return new ApiError(told || text("api.status", { status: response.status }), {
    code: error.code,
    status: response.status,
    retryable: Boolean(error.retryable),
  });
}

/**
 * The REST routes of gateway/PROTOCOL.md. Every method rejects with an ApiError.
 * @param {typeof fetch} request
 * @param {() => void} locked called, too, when the gateway no longer knows who is asking
 */
export function createApi(request = (...args) => fetch(...args), locked = () => {}) {
  async function ask(path, options = {}) {
    let response;
    try {
      response = await request(path, options);
    } catch (error) {
      if (error?.name === "AbortError") throw error;
      throw new ApiError(text("api.unreachable"), { code: "unreachable", retryable: true });
    }
    if (response.status === LOCKED) locked();
    if (!response.ok) throw await refusal(response);
    return response;
  }
  const json = async (path, options) => (await ask(path, options)).json();
  const body = (method, value) => ({
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(value),
  });
  const at = (id, rest = "") => `api/characters/${encodeURIComponent(id)}${rest}`;

  return {
    /** Whether the gateway lets us in: a WebSocket that it refuses looks as if nobody were there. */
    knock: async () => void (await ask("./", { method: "HEAD" })),
    engines: async () => (await json("api/engines")).roles ?? {},
    characters: async () => (await json("api/characters")).characters ?? [],
    character: (id) => json(at(id)),
    create: (fields) => json("api/characters", body("POST", fields)),
    change: (id, fields) => json(at(id), body("PATCH", fields)),
    remove: async (id) => void (await ask(at(id), { method: "DELETE" })),
    activate: (id) => json(at(id, "/activate"), { method: "POST" }),
    putPortrait: async (id, file) => {
      const headers = { "Content-Type": file.type || "application/octet-stream" };
      await ask(at(id, "/portrait"), { method: "PUT", headers, body: file });
    },
    putVoiceSample: (id, file) => {
      const headers = { "Content-Type": file.type || "application/octet-stream" };
      return json(at(id, "/voice-sample"), { method: "PUT", headers, body: file });
    },
    removeVoiceSample: (id) => json(at(id, "/voice-sample"), { method: "DELETE" }),
    /** Speaks once with the voice in `sample`, a file or the address of one; the gateway keeps it nowhere. */
    synthesizeAs: async (sample, fields) => {
      const form = new FormData();
      form.append("sample", typeof sample === "string" ? await (await ask(sample)).blob() : sample, "sample");
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      return (await ask("api/synthesize-with-voice-clone", { method: "POST", body: form })).blob();
    },
    synthesize: async (fields) => (await ask("api/synthesize", body("POST", fields))).blob(),
  };
}
