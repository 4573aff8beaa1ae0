"use strict";
const problem = document.getElementById("problem");
const again = document.getElementById("again");
const unreachable = "The server can't be reached. Try again.";

function say(message) {
  problem.className = "note";
  problem.textContent = message;
  if (message) problem.focus();
}

function fail(message) {
  say(message);
  problem.className = "error";
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

// What the server says of fields, how good a password is among it, stands beside them, and the first of them is where one goes on. A field has its input's
// id, or the one that the second argument says.
async function explain(answer, ids = {}) {
  const details = await answer.json();
  const wrong = Object.keys(details.errors || {}).map(field => [ids[field] || field, details.errors[field].join(" ")]).filter(([id]) => document.getElementById(id + "-error"));
  for (const [id, message] of wrong) mark(id, message);
  if (wrong.length > 0) document.getElementById(wrong[0][0]).focus();
  else fail(details.detail || details.title || "The server refused.");
}

function arePasswordsAlike(form) {
  if (!again || !form.contains(again) || again.value === document.getElementById("password").value) return true;
  mark("again", "The two passwords are not the same.");
  again.focus();
  return false;
}

// What was said before goes first. While the form is on its way it can't be sent again.
function onSubmit(form, act) {
  form.addEventListener("submit", async event => {
    event.preventDefault();
    say("");
    for (const input of form.querySelectorAll("input")) mark(input.id, "");
    if (!arePasswordsAlike(form)) return;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await act();
    } catch {
      fail(unreachable);
    } finally {
      button.disabled = false;
    }
  });
}

// There is nothing left to fill in.
function giveUp(form, message) {
  form.hidden = true;
  fail(message);
}

// The end: the link is used up, and what was typed is gone from the page.
function finish(login) {
  history.replaceState(null, "", location.pathname);
  for (const form of document.forms) {
    form.hidden = true;
    form.reset();
  }
  const command = document.getElementById("command");
  if (command) command.textContent = ["countersign login --server", location.origin, login].filter(Boolean).join(" ");
  document.getElementById("done").hidden = false;
  document.getElementById("done-title").focus();
}
