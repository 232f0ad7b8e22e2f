"use strict";
const find = (id) => document.getElementById(id);
const MOST = 12; // rows and columns of a matrix that are shown

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

// Two numbers a row stay together, as one would write them: only lists of lists are broken into lines.
function pretty(value, indent = "") {
  const deeper = indent + "  ";
  if (Array.isArray(value)) {
    const flat = JSON.stringify(value).replaceAll(",", ", ");
    if (flat.length < 70 && !value.some((item) => item && !Array.isArray(item) && typeof item === "object")) return flat;
    return "[\n" + value.map((item) => deeper + pretty(item, deeper)).join(",\n") + "\n" + indent + "]";
  }
  if (value && typeof value === "object") {
    const members = Object.entries(value).map(([key, item]) => JSON.stringify(key) + ": " + pretty(item, deeper));
    const flat = "{" + members.join(", ") + "}";
    if (flat.length < 76 && !flat.includes("\n")) return flat;
    return "{\n" + members.map((member) => deeper + member).join(",\n") + "\n" + indent + "}";
  }
  return JSON.stringify(value);
}

const shapeOf = (value) => (Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : []);
const short = (x) => (Number.isInteger(x) ? String(x) : Math.abs(x) >= 1e-4 && Math.abs(x) < 1e5 ? x.toPrecision(5) : x.toExponential(2));

function tensor(name, value) {
  const shape = shapeOf(value);
  let rows = value;
  if (shape.length === 0) rows = [[value]];
  else if (shape.length === 1) rows = [value];
  else while (shapeOf(rows).length > 2) rows = rows[0];
  const largest = Math.max(...rows.slice(0, MOST).flat().map(Math.abs), 1e-300);
  const table = make("table");
  for (const row of rows.slice(0, MOST)) {
    const line = make("tr");
    for (const x of row.slice(0, MOST)) {
      const cell = make("td", short(x));
      const strength = Math.round((45 * Math.abs(x)) / largest);
      cell.style.background = `color-mix(in srgb, ${x < 0 ? "#d9480f" : "#1c7ed6"} ${strength}%, transparent)`;
      cell.title = String(x);
      line.append(cell);
    }
    if (row.length > MOST) line.append(make("td", "…"));
    table.append(line);
  }
  const cut = rows.length > MOST || shape.length > 2 ? ", the first of it" : "";
  return make("figure", "", make("figcaption", `${name}  ${shape.length ? "[" + shape.join(" × ") + "]" : ""}${cut}`), table);
}

function show(answer) {
  const parts = [];
  const numbers = make("ul");
  numbers.className = "numbers";
  const number = (label, value) => numbers.append(make("li", label + " ", make("b", value)));
  if ("loss" in answer) number("loss", String(answer.loss));
  if (answer.certificate) number("certified by " + answer.certificate.method + ", relative error", answer.certificate.relative_error.toExponential(1));
  number("convention", answer.convention);
  parts.push(numbers, ...answer.warnings.map(entry));
  for (const part of ["output", "per_example_losses", "input_gradient", "activations", "preactivations", "deltas", "gradients", "parameters"]) {
    if (!(part in answer)) continue;
    const row = make("div");
    row.className = "tensors";
    const walk = (name, value) =>
      value && typeof value === "object" && !Array.isArray(value)
        ? Object.entries(value).forEach(([key, item]) => walk(name ? name + "." + key : key, item))
        : row.append(tensor(name, value));
    walk("", answer[part]);
    parts.push(make("h2", part.replaceAll("_", " ")), row);
  }
  find("answer").replaceChildren(...parts);
}

function entry(error) {
  const lines = [error.detail, error.equation, error.hint].filter(Boolean).map((text) => make("p", text));
  const block = make("div", "", make("p", "", make("code", error.pointer)), ...lines);
  block.className = "refusal";
  return block;
}

function refuse(problem) {
  find("answer").replaceChildren(make("h2", `${problem.status}: ${problem.title}`), make("p", problem.detail), ...problem.errors.map(entry));
}

async function ask(what) {
  try {
    const response = await fetch("v1/" + what, { method: "POST", headers: { "Content-Type": "application/json" }, body: find("request").value });
    const answer = await response.json();
    response.ok ? show(answer) : refuse(answer);
  } catch (error) {
    refuse({ status: "No answer", title: "the server could not be reached", detail: String(error), errors: [] });
  }
}

async function start() {
  const schema = await (await fetch("openapi.json")).json();
  const examples = schema.paths["/v1/gradients"].post.requestBody.content["application/json"].examples;
  for (const [name, { summary }] of Object.entries(examples)) find("examples").append(new Option(summary, name));
  const choose = () => (find("request").value = pretty(examples[find("examples").value].value));
  find("examples").addEventListener("change", choose);
  choose();
  ask("gradients");
}

find("gradients").addEventListener("click", () => ask("gradients"));
find("forward").addEventListener("click", () => ask("forward"));
find("request").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask("gradients");
});
find("curl").addEventListener("click", () => {
  const body = find("request").value.replaceAll("'", "'\\''");
  navigator.clipboard.writeText(`curl -s ${location.origin}/v1/gradients -H 'Content-Type: application/json' -d '${body}'`);
});
start();
