"use strict";
const problem = document.getElementById("problem");

function fail(message) {
  problem.textContent = message;
  problem.focus();
}

function mark(field, message) {
  document.getElementById(field + "-error").textContent = message;
  const input = document.getElementById(field);
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function post(path, body) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

// What the server says of fields stands beside them, and the first of them is where one goes on.
async function explain(answer, fields) {
  const details = await answer.json();
  const wrong = fields.filter(field => details.errors && details.errors[field]);
  for (const field of wrong) mark(field, details.errors[field].join(" "));
  if (wrong.length > 0) document.getElementById(wrong[0]).focus();
  else fail(details.detail || details.title || "The server refused.");
}
