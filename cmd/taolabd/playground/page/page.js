"use strict";

const $ = id => document.getElementById(id);
let open = null; // AbortController of the answer that goes on

function cell(value, kind) {
  const td = document.createElement("td");
  td.textContent = value;
  if (kind) td.className = kind;
  return td;
}

function fill(table, rows, none) {
  const body = table.tBodies[0];
  body.replaceChildren();
  for (const cells of rows) {
    const tr = document.createElement("tr");
    tr.append(...cells);
    body.append(tr);
  }
  if (rows.length === 0) {
    const td = cell(none, "empty");
    td.colSpan = table.tHead.rows[0].cells.length;
    body.append(td);
  }
}

// Peers of this prompt, by uid.
let asked = new Map();

function hear(round) {
  for (const p of round.peers) {
    const a = asked.get(p.uid) || {answers: 0, latency: 0, loss: 0, losses: 0};
    a.code = p.code;
    a.why = p.why || "";
    if (p.code === "Success") {
      a.answers++;
      a.latency += p.latency_ms;
    }
    if (p.loss !== null) {
      a.loss += p.loss;
      a.losses++;
    }
    asked.set(p.uid, a);
  }
  const rows = [...asked].sort((x, y) => x[0] - y[0]).map(([uid, a]) => [
    cell(uid), cell(a.answers), cell(a.answers ? (a.latency / a.answers).toFixed(1) : "–"),
    cell(a.losses ? (a.loss / a.losses).toFixed(3) : "–"), cell(a.code, "code " + a.code), cell(a.why, "word"),
  ]);
  fill($("peers-table"), rows, "Nobody has been asked yet.");
}

function fail(message) {
  $("error").textContent = message;
  $("error").hidden = false;
  $("status").textContent = "The answer ended with an error.";
}

async function send(event) {
  event.preventDefault();
  if (open || !$("form").reportValidity()) return;
  open = new AbortController();
  asked = new Map();
  fill($("peers-table"), [], "Asking …");
  $("error").hidden = true;
  $("given").textContent = $("prompt").value;
  $("text").textContent = "";
  $("send").disabled = true;
  $("stop").disabled = false;
  $("status").textContent = "The miners are being asked …";
  const began = performance.now();
  try {
    const response = await fetch("/v1/completions", {
      method: "POST", signal: open.signal, headers: {"Content-Type": "application/json"},
      body: JSON.stringify({
        model: $("model").value, prompt: $("prompt").value, max_tokens: +$("tokens").value,
        temperature: +$("temperature").value, peers: +$("peers").value, stream: true, stream_options: {include_usage: true},
      }),
    });
    if (!response.ok) {
      fail((await response.json()).error.message);
      return;
    }
    let end = "", tokens = 0;
    for await (const part of events(response.body)) {
      if (part.error) {
        fail(part.error.message);
        return;
      }
      if (part.taolab) hear(part.taolab);
      if (part.usage) tokens = part.usage.completion_tokens;
      for (const choice of part.choices) {
        $("text").textContent += choice.text;
        end = choice.finish_reason || end;
      }
    }
    const words = {stop: "the text ended", length: "as long as asked", no_answer: "the miners fell silent"};
    const seconds = (performance.now() - began) / 1000;
    $("status").textContent = `Done: ${words[end] || end}, ${tokens} tokens in ${seconds.toFixed(1)} s.`;
  } catch (e) {
    if (e.name === "AbortError") $("status").textContent = "Stopped.";
    else fail("The node cannot be reached: " + e.message);
  } finally {
    open = null;
    $("send").disabled = false;
    $("stop").disabled = true;
    caller();
  }
}

// events reads server-sent events that hold JSON.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

async function caller() {
  try {
    const c = await (await fetch("/api/caller")).json();
    $("where").textContent = `Block ${c.height}, ${c.neurons} neurons`;
    const pairs = [["hotkey", c.hotkey], ["uid", c.uid ?? "none"], ["stake", c.stake_tao + " TAO"]];
    $("caller").replaceChildren(...pairs.flatMap(([name, value]) => {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = name;
      dd.textContent = value;
      return [dt, dd];
    }));
    $("buys").replaceChildren(...c.buys.map(text => {
      const li = document.createElement("li");
      li.textContent = text;
      return li;
    }));
    fill($("heard"), c.heard.map(h => [
      cell(h.uid), cell(h.answers), cell(h.refusals), cell(h.answers ? h.latency_ms.toFixed(1) : "–"),
      cell(h.last, "code " + h.last), cell(h.why || "", "word"),
    ]), "None.");
  } catch (e) {
    $("where").textContent = "The node cannot be reached: " + e.message;
  }
}

// The columns of the metagraph: key, heading, how a value is shown.
const share = x => x.toFixed(4);
const columns = [
  ["uid", "uid", String], ["stake_tao", "stake, TAO", x => (+x).toFixed(3)], ["rank", "rank", share], ["trust", "trust", share],
  ["consensus", "consensus", share], ["incentive", "incentive", share], ["dividends", "dividends", share],
  ["emission_rao", "emission, rao", String], ["updated_blocks", "updated, blocks", String], ["active", "active", x => x ? "yes" : "no"],
  ["permit", "permit", x => x ? "yes" : "no"], ["axon", "axon", x => x || "none"], ["hotkey", "hotkey", String], ["coldkey", "coldkey", String],
];
let rows = [], order = "uid", falling = false;

function heads() {
  $("graph").tHead.rows[0].replaceChildren(...columns.map(([key, name]) => {
    const th = document.createElement("th"), button = document.createElement("button");
    th.scope = "col";
    th.setAttribute("aria-sort", key !== order ? "none" : falling ? "descending" : "ascending");
    button.type = "button";
    button.textContent = name + (key !== order ? "" : falling ? " ▾" : " ▴");
    button.onclick = () => {
      falling = key === order ? !falling : key !== "uid";
      order = key;
      heads();
      show();
      $("graph").tHead.rows[0].cells[columns.findIndex(c => c[0] === key)].firstChild.focus();
    };
    th.append(button);
    return th;
  }));
}

function show() {
  const wanted = $("filter").value.toLowerCase();
  const value = r => order === "stake_tao" ? +r[order] : r[order];
  const list = rows.filter(r => String(r.uid) === wanted || (r.hotkey + r.coldkey + r.axon).toLowerCase().includes(wanted))
    .sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a.uid - b.uid) * (falling ? -1 : 1));
  fill($("graph"), list.map(r => columns.map(([key, , shown]) => cell(shown(r[key]), key.endsWith("key") ? "key" : ""))), "No neuron.");
  $("graph-status").textContent = `${list.length} of ${rows.length} neurons`;
}

async function metagraph() {
  const all = [];
  try {
    for (;;) {
      const page = await (await fetch("/api/metagraph?from=" + all.length)).json();
      all.push(...page.rows);
      if (page.rows.length === 0 || all.length >= page.neurons) break;
    }
    rows = all;
    show();
  } catch (e) {
    $("graph-status").textContent = "The node cannot be reached: " + e.message;
  }
}

$("form").addEventListener("submit", send);
$("stop").addEventListener("click", () => open?.abort());
document.addEventListener("keydown", e => {
  if (e.key === "Escape") open?.abort();
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target === $("prompt")) $("form").requestSubmit();
});
$("filter").addEventListener("input", show);
$("refresh").addEventListener("click", metagraph);
heads();
caller();
metagraph();
setInterval(caller, 5000);
