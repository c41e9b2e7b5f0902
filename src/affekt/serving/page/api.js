// Talks to the server: one key, errors with their sentence, patience when the server asks for it.

let key = "";

/** An answer that is not the one asked for. */
export class ApiError extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    Object.assign(this, { status, code, retryAfter });
  }
}

export function setKey(value) {
  key = value.trim();
}

/**
 * Ask the server.
 * @param {string} path
 * @param {object|null} body  sent as JSON; a GET if null
 * @param {AbortSignal} [signal]
 */
export async function ask(path, body = null, signal = undefined) {
  const headers = body === null ? {} : { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, {
      method: body === null ? "GET" : "POST",
      headers,
      body: body === null ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The server cannot be reached. Is it still running?", 2);
  }
  if (response.ok) return response.json();
  throw await problem(response);
}

async function problem(response) {
  const retry = Number(response.headers.get("retry-after")) || 0;
  try {
    const { error } = await response.json();
    return new ApiError(response.status, error.code, error.message, retry);
  } catch {
    return new ApiError(response.status, "error", `The server answered ${response.status}.`, retry);
  }
}

/** Like {@link ask}, but comes again as often as the server says that it is busy. */
export async function askPatiently(path, body, signal, tries = 20) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(path, body, signal);
    } catch (error) {
      const busy = error instanceof ApiError && [0, 429, 503].includes(error.status);
      if (!busy || attempt >= tries) throw error;
      await pause(1000 * Math.max(1, error.retryAfter), signal);
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("Stopped", "AbortError"));
    }, { once: true });
  });
}
