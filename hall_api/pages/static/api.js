// Asking the hall: one request, one answer, every refusal a sentence fit to show.

const PATIENCE_MS = 8000;
const UPLOAD_MS = 60000;
let csrf = "";

export class Refusal extends Error {
  constructor(detail, { status = 0, code = "" } = {}) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** The hall gave no answer at all; nobody knows whether the order was carried out. */
export class Silence extends Error {}

export const allow = (token) => { csrf = token; };
export const intent = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))]
  .map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function once(method, path, body, key, patience = PATIENCE_MS) {
  const headers = { Accept: "application/json", "Accept-Language": "zh-CN,zh;q=0.9" };
  const whole = body instanceof Blob; // a document, sent as it is
  if (body !== undefined) headers["Content-Type"] = whole ? body.type : "application/json";
  if (key) headers["Idempotency-Key"] = key;
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, cache: "no-store", credentials: "same-origin",
      body: body === undefined || whole ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
  } catch (cause) {
    throw new Silence(String(cause));
  }
  if (answer.status === 204) return null;
  const text = await answer.text();
  let data = null;
  try { data = JSON.parse(text); } catch { /* a proxy's page, not the hall's answer */ }
  if (answer.ok && data !== null) return data;
  if (answer.status >= 502 && data === null) throw new Silence(`${answer.status}`);
  throw new Refusal(data?.detail ?? data?.title ?? `${answer.status}`, { status: answer.status, code: data?.code ?? "" });
}

/** Hands over a document; with the same key it is kept once, however often it is sent. */
export const upload = (path, blob, key) => once("POST", path, blob, key, UPLOAD_MS);

export const get = (path) => once("GET", path);

/** Asks for a change. Without an answer it asks once more with the same key, so that nothing happens twice. */
export async function order(path, body = {}, { method = "POST", key = intent() } = {}) {
  try {
    return await once(method, path, body, key);
  } catch (trouble) {
    if (!(trouble instanceof Silence)) throw trouble;
    await new Promise((wake) => setTimeout(wake, 400));
    return once(method, path, body, key);
  }
}
