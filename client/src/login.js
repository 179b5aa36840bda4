// The page for who is not known yet: the token of the printed address, or one typed in, becomes a cookie.

import { ApiError } from "./api.js";
import { text } from "./strings.js";

const form = document.getElementById("login");
const error = form.querySelector(".error");

/** Resolves when the gateway has taken the token; else rejects with its sentence. */
async function logIn(token) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("api/login", { method: "POST", headers, body: JSON.stringify({ token }) });
  if (response.ok) return;
  const refused = await response.json().catch(() => ({}));
  throw new ApiError(refused.error?.message ?? text("api.status", { status: response.status }));
}

async function attempt(token) {
  error.hidden = true;
  try {
    await logIn(token);
    location.replace("./");
  } catch (problem) {
    error.textContent = problem instanceof ApiError ? problem.message : text("api.unreachable");
    error.hidden = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(new FormData(form).get("token"));
});

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", "./"); // the token stays neither on screen nor in the history
  attempt(given);
} else if ((await fetch("api/engines")).ok) {
  // A link on another site brought us here: its first request carries no strict cookie, ours does.
  location.replace("./");
}
